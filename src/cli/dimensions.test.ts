import { describe, expect, test } from 'vitest'
import { makeGraph } from '../../test/support/make-graph.ts'
import type { Graph } from '../graph/graph.ts'
import { boundSizes, shapesByInput, wholeShapes } from './dimensions.ts'

const taking = (...shape: readonly (number | string)[]): Graph =>
  makeGraph({ x: { dtype: 'float32', shape } }, (op, { x }) => ({ y: op.Relu([x!]) }))

describe('sizes to bind', () => {
  const image = taking('N', 3, 'height', '')

  test('go by symbols, or by an input and an axis that has one', () => {
    expect(boundSizes({ N: 2, 'x:2': 64, 'x:3': 32 }, [image])).toEqual({ N: 2, height: 64, 'x:3': 32 })
    expect(boundSizes({ 'x:-2': 64, 'x:-1': 32, 'x:1': 3 }, [image])).toEqual({ height: 64, 'x:3': 32 })
  })
  test('hold for every model that has the dimension', () => {
    expect(boundSizes({ 'x:0': 2 }, [image, taking('', 3), taking(2)])).toEqual({ N: 2, 'x:0': 2 })
  })
  test('that cannot be are refused', () => {
    expect(() => boundSizes({ heigth: 2 }, [image])).toThrow(/no input has a dimension 'heigth'.*mean 'height'/i)
    expect(() => boundSizes({ 'x:1': 4 }, [image])).toThrow(/'x:1' is 3 in the file; it cannot be 4/)
    expect(() => boundSizes({ 'x:4': 4 }, [image])).toThrow(/'x' is \[N,3,height,\?\]; there is no axis 4/)
    expect(() => boundSizes({ height: 4, 'x:2': 5 }, [image])).toThrow(/'height' is to be 4 and 5 at once/)
  })
})

describe('shapes of inputs', () => {
  test('may be given for an axis alone', () => {
    const image = taking('N', 3, 'height', '')
    expect(shapesByInput({ 'x:0': [1], 'x:-1': [8] }, image)).toEqual({ x: [1, '', '', 8] })
    expect(shapesByInput({ x: [1, 3, '', ''], 'x:2': [8] }, image)).toEqual({ x: [1, 3, 8, ''] })
    expect(shapesByInput({ z: [1] }, image)).toEqual({ z: [1] })
    expect(() => shapesByInput({ x: [1, 3, 4, 4], 'x:2': [8] }, image)).toThrow(/is to be 4 and 8 at once/)
  })
  test('to run with take what is fixed from the model', () => {
    expect(wholeShapes({ x: ['', 8] }, taking(2, 'M'))).toEqual({ x: [2, 8] })
    expect(() => wholeShapes({ x: ['', 8] }, taking('N', 'M'))).toThrow(/axis 0 is/)
  })
})
