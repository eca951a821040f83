import { randomNormal } from 'd3-random'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { SinterError } from './errors.ts'

/** A seeded stream of random numbers. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number
  /** Normal with mean 0 and standard deviation 1. */
  normal(): number
  /** Uniform whole number in [0, below). */
  integer(below: number): number
  /** 0..n-1 in random order (Fisher-Yates). */
  permutation(n: number): Uint32Array
  /** A new stream that depends only on this stream's seed and the label, not on what was drawn before. */
  fork(label: string | number): Random
}

/**
 * The stream of a seed. Equal seeds give equal streams on every machine.
 * @throws SinterError `invalid-argument` if the seed is not a whole number up to 2^53.
 */
export function random(seed: number): Random {
  if (!Number.isSafeInteger(seed))
    throw new SinterError('invalid-argument', `A seed is a whole number up to 2^53, not ${seed}.`, { seed })
  const generator = xoroshiro128plus(mix((seed | 0) ^ mix(Math.trunc(seed / 2 ** 32))))
  const uniform = () => uniformFloat64(generator)
  const integer = (below: number) => {
    if (!(Number.isSafeInteger(below) && below > 0))
      throw new SinterError('invalid-argument', `There is no whole number from 0 to below ${below}.`, { below })
    return uniformInt(generator, 0, below - 1)
  }
  return {
    uniform,
    normal: randomNormal.source(uniform)(),
    integer,
    permutation(n) {
      const order = Uint32Array.from({ length: n }, (_, i) => i)
      for (let i = n - 1; i > 0; i--) {
        const j = integer(i + 1)
        const kept = order[i]!
        order[i] = order[j]!
        order[j] = kept
      }
      return order
    },
    fork: label => random(hash(`${seed}/${label}`)),
  }
}

/** 32-bit FNV-1a of a text, finished by `mix`. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return mix(h)
}

/** MurmurHash3's finaliser: near seeds give unrelated generators. */
function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
