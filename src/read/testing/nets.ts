import { random } from '../../base/random.ts'
import type { Dim } from '../../base/shape.ts'
import { fromNumbers } from '../../base/tensor.ts'
import { emptyGraph, type Graph } from '../../graph/graph.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import { extend } from '../extend.ts'

/** What a small test network is written with: operators, and layers with random parameters named after them. */
export interface Net {
  readonly op: Ops
  /** A parameter with random contents, positive if `positive`. */
  parameter(name: string, shape: readonly number[], positive?: boolean): Ref
  conv(name: string, x: Ref, channels: number, options?: { kernel?: number; group?: number; stride?: number }): Ref
  norm(name: string, x: Ref): Ref
  linear(name: string, x: Ref, features: number): Ref
}

/** A graph written down in a test, with one input `x`. Equal calls give equal graphs. */
export function net(inputShape: readonly Dim[], write: (net: Net, x: Ref) => Ref | readonly Ref[]): Graph {
  const stream = random(11)
  const input = { name: 'x', type: { dtype: 'float32' as const, shape: inputShape } }
  return extend({ ...emptyGraph('net'), inputs: [input] }, (op, draft) => {
    const parameter = (name: string, shape: readonly number[], positive = false): Ref => {
      const draw = stream.fork(name)
      const count = shape.reduce((a, b) => a * b, 1)
      const values = Array.from({ length: count }, () => (positive ? draw.uniform() + 0.5 : draw.normal() * 0.5))
      return op.constant(fromNumbers('float32', shape, values), name)
    }
    const channelsOf = (x: Ref, axis = 1) => op.type(x).shape![axis] as number
    const layers: Net = {
      op,
      parameter,
      conv(name, x, channels, { kernel = 1, group = 1, stride = 1 } = {}) {
        const w = parameter(`${name}.weight`, [channels, channelsOf(x) / group, kernel, kernel])
        const b = parameter(`${name}.bias`, [channels])
        const pad = (kernel - 1) / 2
        return op.Conv([x, w, b], { group, pads: [pad, pad, pad, pad], strides: [stride, stride] })
      },
      norm(name, x) {
        const shape = [channelsOf(x)]
        const parts = ['weight', 'bias', 'running_mean', 'running_var'].map((part, i) =>
          parameter(`${name}.${part}`, shape, i === 3),
        )
        return op.BatchNormalization([x, ...parts])
      },
      linear(name, x, features) {
        const w = parameter(`${name}.weight`, [features, channelsOf(x)])
        return op.Gemm([x, w, parameter(`${name}.bias`, [features])], { transB: 1 })
      },
    }
    for (const name of [write(layers, 'x')].flat()) draft.outputs.push({ name, type: op.type(name) })
  })
}
