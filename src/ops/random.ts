import type { DType } from '../base/dtype.ts'
import { elementwiseLinks } from './broadcast.ts'
import { typeNumbered } from './cast.ts'
import { free, no, operator } from './operator.ts'

// Operators that draw random numbers. A seed that is left out is another one in every session.

const drawn = no('random numbers depend on no element')
const notFolded = no('numbers drawn once would be drawn no more')

function ofShape(type: 'RandomNormal' | 'RandomUniform') {
  return operator<typeof type>(type, {
    infer: ({ attributes: { dtype, shape } }) => [{ dtype: typeNumbered(dtype), shape }],
    gradient: drawn,
    coupling: () => [],
    cost: free,
    evaluate: notFolded,
  })
}

export const randomNormal = ofShape('RandomNormal')
export const randomUniform = ofShape('RandomUniform')

function like(type: 'RandomNormalLike' | 'RandomUniformLike' | 'Bernoulli') {
  return operator<typeof type>(type, {
    infer: ({ attributes: { dtype }, inputs: [x] }) => [{ dtype: typeOr(dtype, x!.dtype), shape: x!.shape }],
    gradient: type === 'Bernoulli' ? no('a drawn 0 or 1 has no derivative by its probability') : drawn,
    coupling: elementwiseLinks,
    cost: free,
    evaluate: notFolded,
  })
}

export const randomNormalLike = like('RandomNormalLike')
export const randomUniformLike = like('RandomUniformLike')
export const bernoulli = like('Bernoulli')

export const multinomial = operator('Multinomial', {
  infer: ({ attributes: { dtype, sample_size: size }, inputs: [x] }) => [
    { dtype: typeNumbered(dtype), shape: [x!.shape?.[0] ?? '', size] },
  ],
  gradient: no('a drawn class has no derivative by its probability'),
  coupling: () => [],
  cost: free,
  evaluate: notFolded,
})

function typeOr(number: number | undefined, otherwise: DType): DType {
  return number === undefined ? otherwise : typeNumbered(number)
}
