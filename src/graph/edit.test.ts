import { describe, expect, test } from 'vitest'
import { scalar } from '../base/tensor.ts'
import { attribute } from './attributes.ts'
import { dropUnused, edit, namesOf, node, renameReads } from './edit.ts'
import { type Body, capturesOf, emptyGraph, type Graph, type Node, readsOf, requiredInputs } from './graph.ts'

const unary = (output: string, input: string, name = output): Node =>
  node({ op: 'Relu', name, inputs: [input], outputs: [output] })

function chain(...nodes: readonly Node[]): Graph {
  const last = nodes.at(-1)!.outputs[0]!
  return {
    ...emptyGraph('chain'),
    inputs: [{ name: 'x', type: undefined }],
    outputs: [{ name: last, type: undefined }],
    nodes,
  }
}

/** Reads of the nodes, by what they make. */
const wiring = (body: Body) => Object.fromEntries(body.nodes.map(n => [n.outputs[0], readsOf(n).join()]))

const body = (output: string, ...nodes: readonly Node[]): Body => {
  const { name, inputs, outputs, initializers, types } = chain(...nodes)
  return { name, inputs: inputs.slice(1), outputs: [{ ...outputs[0]!, name: output }], nodes, initializers, types }
}

describe('redirect', () => {
  const graph = chain(unary('a', 'x'), unary('b', 'a'), unary('c', 'b'), unary('d', 'c'))

  test('sends the readers of a name to another', () => {
    const changed = edit(graph, draft => draft.redirect('b', 'x'))
    expect(wiring(changed)).toEqual({ c: 'x', d: 'c' })
  })

  test('follows a chain that is begun at its start', () => {
    const changed = edit(graph, draft => {
      draft.redirect('c', 'b')
      draft.redirect('b', 'a')
    })
    expect(wiring(changed)).toEqual({ a: 'x', d: 'a' })
  })

  test('concerns those who read the name now: later redirections of the target take along, earlier ones do not', () => {
    const changed = edit(
      graph,
      draft => {
        draft.redirect('b', 'a')
        draft.redirect('c', 'b')
      },
      { keepUnused: true },
    )
    // c reads a; d reads b itself, whose former readers had left it by then.
    expect(wiring(changed)).toEqual({ a: 'x', b: 'a', c: 'a', d: 'b' })
  })

  test('there and back leaves everybody at the one name', () => {
    const both: Graph = { ...chain(unary('a', 'x'), unary('b', 'x')), outputs: [] }
    const readers = { ...both, nodes: [...both.nodes, unary('c', 'a'), unary('d', 'b')] }
    const changed = edit(
      readers,
      draft => {
        draft.redirect('a', 'b')
        draft.redirect('b', 'a')
      },
      { keepUnused: true },
    )
    expect(wiring(changed)).toEqual({ a: 'x', b: 'x', c: 'a', d: 'a' })
  })

  test('gives the same, asked for at once or with a look at the nodes after each', () => {
    const pairs = [
      ['a', 'x'],
      ['b', 'a'],
      ['c', 'x'],
      ['b', 'c'],
    ] as const
    const outcome = (look: boolean) =>
      wiring(
        edit(
          graph,
          draft => {
            for (const [from, to] of pairs) {
              draft.redirect(from, to)
              if (look) draft.nodes()
            }
          },
          { keepUnused: true },
        ),
      )
    expect(outcome(false)).toEqual(outcome(true))
  })

  test('does not concern nodes that are added later', () => {
    const changed = edit(graph, draft => {
      draft.redirect('x', 'y')
      draft.add(unary('y', 'x'))
    })
    expect(wiring(changed)).toMatchObject({ y: 'x', a: 'y' })
  })

  test('reaches outputs only if asked', () => {
    const kept = edit(graph, draft => draft.redirect('d', 'a'))
    expect(kept).toBe(graph)
    const moved = edit(graph, draft => draft.redirect('d', 'a', { outputs: true }))
    expect(moved.outputs[0]!.name).toBe('a')
    expect(wiring(moved)).toEqual({ a: 'x' })
  })

  test('of a name to itself, or of one that nobody reads, changes nothing', () => {
    expect(edit(graph, draft => draft.redirect('a', 'a'))).toBe(graph)
    expect(edit(graph, draft => draft.redirect('nowhere', 'a'))).toBe(graph)
  })

  test('reaches what bodies capture, but not what they name themselves', () => {
    const inner = node({
      op: 'If',
      inputs: ['x'],
      outputs: ['i'],
      attributes: { then_branch: attribute.graph(body('t', unary('t', 'a'), unary('u', 't'))) },
    })
    const around = chain(
      unary('a', 'x'),
      node({ ...inner, attributes: { then_branch: attribute.graph(body('i', inner)) } }),
    )
    const changed = edit(around, draft => {
      draft.redirect('a', 'x')
      draft.redirect('t', 'wrong')
    })
    expect(wiring(changed)).toEqual({ i: 'x,x' })
    const then = changed.nodes[0]!.attributes.then_branch as { value: Body }
    expect([...capturesOf(then.value)]).toEqual(['x'])
  })

  test('leaves a name alone that a body keeps as a sparse initializer of its own', () => {
    const tensor = { shape: [1], values: scalar('float32', 1), indices: scalar('int64', 0) }
    const own: Body = { ...body('t', unary('t', 's')), sparseInitializers: new Map([['s', tensor]]) }
    const one = node({ op: 'If', inputs: [], outputs: ['y'], attributes: { then_branch: attribute.graph(own) } })
    expect(capturesOf(own).size).toBe(0)
    expect(renameReads(one, () => 'other')).toBe(one)
  })
})

describe('remove and replace', () => {
  const graph = chain(unary('a', 'x'), unary('b', 'a'), unary('c', 'b'))
  const [, b] = graph.nodes as [Node, Node, Node]

  test('know a node by what it was before redirections', () => {
    const removed = edit(graph, draft => {
      draft.redirect('a', 'x')
      draft.nodes()
      draft.redirect('b', 'x')
      draft.remove(b)
    })
    expect(wiring(removed)).toEqual({ c: 'x' })
    const replaced = edit(graph, draft => {
      draft.redirect('a', 'x')
      draft.replace(b, { op: 'Neg', inputs: ['x'], outputs: ['b'] })
    })
    expect(replaced.nodes.map(n => n.op)).toEqual(['Neg', 'Relu'])
  })

  test('keep what the file says of a node beside its meaning', () => {
    const extra = { doc: 'a note' }
    const noted = { ...graph, nodes: graph.nodes.map(n => (n === b ? { ...n, extra } : n)) }
    const change = { op: 'Neg', inputs: ['a'], outputs: ['b'] }
    const replaced = edit(noted, draft => draft.replace(noted.nodes[1]!, change))
    expect(replaced.nodes[1]).toMatchObject({ op: 'Neg', extra })
    const whole = edit(noted, draft => draft.replace(noted.nodes[1]!, node(change)))
    expect(whole.nodes[1]!.extra).toBeUndefined()
  })

  test('of a node that is not there: the one does nothing, the other is refused', () => {
    expect(edit(graph, draft => draft.remove(unary('z', 'x')))).toBe(graph)
    expect(() => edit(graph, draft => draft.replace(unary('z', 'x'), b))).toThrow(/Relu 'z' is not in the graph/)
  })
})

describe('edit', () => {
  const graph = chain(unary('a', 'x'), unary('b', 'a'))

  test('gives the graph itself if nothing changes, and leaves the given one alone', () => {
    expect(edit(graph, () => {})).toBe(graph)
    expect(edit(graph, draft => draft.add())).toBe(graph)
    const before = structuredClone(graph)
    edit(graph, draft => {
      draft.redirect('a', 'x')
      draft.outputs.pop()
      draft.constant('w', scalar('float32', 1))
    })
    expect(graph).toEqual(before)
  })

  test('puts nodes in order, and refuses a cycle', () => {
    const changed = edit(graph, draft => {
      draft.redirect('a', 'n')
      draft.add(unary('n', 'a'))
    })
    expect(changed.nodes.map(n => n.outputs[0])).toEqual(['a', 'n', 'b'])
    expect(() => edit(graph, draft => draft.redirect('x', 'b'))).toThrow(
      expect.objectContaining({ code: 'invalid-graph', message: expect.stringContaining('cycle') }),
    )
  })

  test('never gives a name twice, those in bodies and of new constants included', () => {
    const branch = attribute.graph(body('t', unary('t', 'x')))
    const made = edit(graph, draft => {
      draft.initializers.set('set', scalar('float32', 0))
      draft.add(node({ op: 'If', inputs: ['x'], outputs: ['i'], attributes: { then_branch: branch } }))
      const names = ['a', 't', 'i', 'set', 'new', 'new'].map(hint => draft.fresh(hint))
      expect(names).toEqual(['a_1', 't_1', 'i_1', 'set_1', 'new', 'new_1'])
      expect(draft.constant('b', scalar('float32', 0))).toBe('b_1')
    })
    expect(namesOf(made).has('t')).toBe(false)
  })
})

describe('what nothing reads', () => {
  const value = scalar('float32', 1)

  test('is left out, but not what bodies capture or callers may feed', () => {
    const branch = attribute.graph(body('t', node({ op: 'Add', inputs: ['kept', 'w'], outputs: ['t'] })))
    const one = node({ op: 'If', inputs: ['x'], outputs: ['y'], attributes: { then_branch: branch } })
    const graph: Graph = {
      ...chain(unary('kept', 'x'), unary('lost', 'x'), one),
      inputs: ['x', 'default'].map(name => ({ name, type: undefined })),
      initializers: new Map(['w', 'default', 'lost_w'].map(name => [name, value])),
      types: new Map([
        ['kept', { dtype: 'float32', shape: [] }],
        ['lost', { dtype: 'float32', shape: [] }],
      ]),
    }
    const left = dropUnused(graph)
    expect(left.nodes.map(n => n.outputs[0])).toEqual(['kept', 'y'])
    expect([...left.initializers.keys()]).toEqual(['w', 'default'])
    expect([...left.types.keys()]).toEqual(['kept'])
    expect(dropUnused(left)).toBe(left)
    expect(requiredInputs(left).map(({ name }) => name)).toEqual(['x'])
  })

  test('a node stays for one of its outputs', () => {
    const two = node({ op: 'Split', inputs: ['x'], outputs: ['p', 'q'] })
    expect(dropUnused(chain(two, unary('y', 'q'))).nodes).toHaveLength(2)
  })

  test('an input with a sparse default need not be fed', () => {
    const sparse = { shape: [1], values: value, indices: scalar('int64', 0) }
    const graph = { ...chain(unary('y', 'x')), sparseInitializers: new Map([['x', sparse]]) }
    expect(requiredInputs(graph)).toEqual([])
  })
})

test('captures of deeply nested bodies are found once each', () => {
  let inner = body('t', unary('t', 'deep'))
  for (let depth = 0; depth < 200; depth++) {
    const one = node({
      op: 'If',
      inputs: [],
      outputs: [`o${depth}`],
      attributes: { then_branch: attribute.graph(inner) },
    })
    inner = body(`o${depth}`, one)
  }
  expect([...capturesOf(inner)]).toEqual(['deep'])
  expect(capturesOf(inner)).toBe(capturesOf(inner))
})
