import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { modelBytes, refusalOf } from '../../test/support/onnx-message.ts'
import { SinterError } from '../base/errors.ts'
import { type Random, random } from '../base/random.ts'
import { check } from '../graph/check.ts'
import { print } from '../graph/print.ts'
import { decode } from './decode.ts'
import { encode } from './encode.ts'

const text = (s: string) => new TextEncoder().encode(s)

function refusal(bytes: Uint8Array): string {
  const error = refusalOf(() => decode(bytes, { name: 'it' }))
  expect(error.code).toBe('invalid-model')
  return error.message
}

/** A field of bytes with its length in front. */
function field(number: number, ...content: readonly (readonly number[])[]): number[] {
  const bytes = content.flat()
  return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes]
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}

const header = [0x08, 10, ...field(8, [0x10, 21])]

describe('a file that is not a model', () => {
  it.each([
    ['an empty file', ''],
    ['an HTML or XML page', '<!DOCTYPE html><html><body>404</body></html>'],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'],
    ['JSON', '{"error": "not found"}'],
    ['a text file', 'Dear reader,\nthis is no network.\n'],
    ['a GGUF model', 'GGUF\x03\0\0\0'],
  ])('is said to be %s', (name, content) => {
    expect(refusal(text(content))).toContain(`it is not an ONNX model: it looks like ${name}`)
  })

  it('is said to be an image or an archive', () => {
    expect(refusal(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0))).toContain('a PNG image')
    expect(refusal(Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0))).toContain('a zip archive or a PyTorch checkpoint')
  })

  it('but looks like the format is refused, too', () => {
    expect(refusal(Uint8Array.of(0x08, 3))).toContain('is not an ONNX model')
    expect(refusal(Uint8Array.of(...field(7)))).toContain('is not an ONNX model')
    expect(refusal(new Uint8Array(4096))).toContain('is not an ONNX model')
    expect(refusalOf(() => decode('model.onnx' as never)).code).toBe('invalid-argument')
  })
})

describe('a hostile file', () => {
  it('that claims more bytes than it has is refused with the place', () => {
    const tensor = [0x4a, ...varint(2 ** 31 - 1), 0, 0]
    const graph = field(7, field(5, [0x08, 1, 0x10, 1]), [...varint(5 * 8 + 2), tensor.length, ...tensor])
    expect(refusal(Uint8Array.of(...header, ...graph))).toContain(
      'graph.initializer[1].raw_data (at byte 22) claims 2147483647 bytes where 2 are left',
    )
  })

  it('whose parts reach beyond what they are part of is refused', () => {
    // The name claims one byte more than its node has; the next field has that byte.
    const node = [0x1a, 3, 0x61, 0x62]
    expect(refusal(Uint8Array.of(...header, ...field(7, field(1, node), field(2, [0x67]))))).toContain(
      'graph.node[0].name (at byte 12) claims 3 bytes where 2 are left',
    )
  })

  it('with damaged lists, texts and numbers is refused with the place', () => {
    const inGraph = (...content: number[][]) => refusal(Uint8Array.of(...header, ...field(7, ...content)))
    expect(inGraph(field(5, field(4, [0, 0, 0])))).toContain('graph.initializer[0].float_data')
    expect(inGraph(field(5, field(7, [0x80])))).toContain('graph.initializer[0].int64_data')
    expect(inGraph(field(5, field(7, [...Array(10).fill(0xff), 1])))).toContain('more than 64 bits')
    expect(inGraph(field(2, [0xc3]))).toContain('graph.name (at byte 10) is not valid UTF-8')
    expect(inGraph(field(2, Array(16_001).fill(0x61)))).toContain('graph.name (at byte 12) has 16001 bytes, too long')
    expect(inGraph([0x10, 1])).toContain('graph.name (at byte 9) is not written the way that ONNX writes it')
    expect(inGraph([0x07])).toContain('graph (at byte 9) has bytes that are no field')
    expect(inGraph([...Array(5).fill(0xff), 1])).toContain('more than 32 bits')
  })

  it('nested without end is refused', () => {
    let graph: number[] = []
    for (let i = 0; i < 200; i++)
      graph = field(1, field(5, [0x0a, 1, 0x61, 0xa0, 1, 5], field(6, graph)), [0x22, 1, 0x62])
    expect(refusal(Uint8Array.of(...header, ...field(7, graph)))).toContain('is nested deeper than 100 levels')
    const groups = Array(100_000)
      .fill(0x9b)
      .flatMap(b => [b, 0x3e])
    expect(refusal(Uint8Array.from(header.concat(groups)))).toContain('is not an ONNX model')
  })

  it('that asks for an object with every two bytes is refused before they are made', () => {
    const count = 8_000_000
    const nodes = new Uint8Array(2 * count).map((_, i) => (i % 2 === 0 ? 0x0a : 0))
    const bytes = new Uint8Array([...header, 0x3a, ...varint(nodes.length)].length + nodes.length)
    bytes.set([...header, 0x3a, ...varint(nodes.length)])
    bytes.set(nodes, bytes.length - nodes.length)
    const before = process.memoryUsage().heapUsed
    expect(refusal(bytes)).toContain('more than 1024 MiB of memory')
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2 ** 26)
  })

  it('that claims a huge tensor allocates nothing', () => {
    const bytes = modelBytes({ initializer: [{ name: 'w', dims: [2n ** 34n], dataType: 1 }] })
    const before = process.memoryUsage().arrayBuffers
    expect(refusal(bytes)).toContain(
      "graph.initializer[0] 'w' holds 0 values where float32[17179869184] has 17179869184",
    )
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20)
  })
})

const models = '../shared/models'
const small = existsSync(models)
  ? readdirSync(models).filter(file => /^(mnist|yunet|super|gtcrn_simplified|ppocr_v2).*\.onnx$/.test(file))
  : []

describe.skipIf(small.length === 0)('a damaged model (skipped where ../shared is absent)', () => {
  const files = small.map(file => new Uint8Array(readFileSync(`${models}/${file}`)))

  it('cut anywhere is refused as damaged', () => {
    const rng = random(1)
    for (let i = 0; i < 300; i++) {
      const whole = files[rng.integer(files.length)]!
      expect(refusal(whole.subarray(0, rng.integer(whole.length)))).toMatch(/damaged|not an ONNX model/)
    }
  })

  it('changed anywhere is refused, or reads, prints and writes as what it has become', () => {
    const rng = random(2)
    for (let i = 0; i < 300; i++) {
      const bytes = mutated(files[rng.integer(files.length)]!, rng)
      try {
        const graph = decode(bytes)
        check(graph)
        print(graph)
        expect(decode(encode(graph)).nodes.length).toBe(graph.nodes.length)
      } catch (error) {
        if (!(error instanceof SinterError)) throw error
        expect(['invalid-model', 'not-supported', 'invalid-argument']).toContain(error.code)
      }
    }
  })
})

/** A copy with some bytes changed, most of them where the structure is. */
function mutated(original: Uint8Array, rng: Random): Uint8Array {
  let bytes = original.slice()
  for (let edits = 1 + rng.integer(4); edits > 0; edits--) {
    const at = rng.integer(rng.integer(2) === 0 ? 2000 : bytes.length)
    const kind = rng.integer(4)
    if (kind === 0) bytes[at] = rng.integer(256)
    else if (kind === 1) bytes[at]! ^= 1 << rng.integer(8)
    else if (kind === 2) bytes.fill(0xff, at, at + 10)
    else {
      const rest = bytes.slice(at + rng.integer(50))
      bytes = bytes.slice(0, at + rest.length)
      bytes.set(rest, at)
    }
  }
  return bytes
}
