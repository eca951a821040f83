import { formatType } from '../base/shape.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { requiredInputs } from '../graph/graph.ts'
import { readModel } from '../onnx/files.ts'
import { assertValid } from '../read/check.ts'
import { save } from '../read/model-file.ts'
import { countNodes } from '../read/summary.ts'
import { whole } from '../report/format.ts'
import type { Answer } from './command.ts'
import { bytesOfModel, checkOutput, hasExternalData } from './model.ts'
import { facts, table } from './table.ts'

/** A model that a verb has written. */
export interface Written {
  readonly out: string
  /** The same, and the file of its weights where these have one of their own. */
  readonly files: readonly string[]
  readonly nodes: number
  readonly bytes: number
  readonly inputs: readonly Signature[]
  readonly outputs: readonly Signature[]
}

export interface Signature {
  readonly name: string
  readonly type: string
}

/**
 * Opens a model to be edited: checked, and left in its own opset.
 * @throws SinterError as `readModel` and `assertValid` do.
 */
export async function openModel(path: string): Promise<Graph> {
  const graph = await readModel(path)
  assertValid(graph)
  return graph
}

/** Writes an edited model, never over what it is made from, and says what it is. Weights in files of their own stay so. */
export async function writeEdited(out: string, graph: Graph, from: readonly string[]): Promise<Written> {
  await checkOutput(out, from)
  const files = await save(out, graph, hasExternalData(graph) ? { external: 'always' } : {})
  return {
    out,
    files,
    nodes: countNodes(graph),
    bytes: await bytesOfModel(out, await readModel(out)),
    inputs: requiredInputs(graph).map(signatureOf),
    outputs: graph.outputs.map(signatureOf),
  }
}

export function signatureOf({ name, type }: Value): Signature {
  return { name, type: formatType(type) }
}

/** What an edit answers: the document, and for a person each file with its inputs and outputs. */
export function editAnswer(
  document: Readonly<Record<string, unknown>>,
  written: readonly Written[],
  notes: readonly string[],
  width: number,
): Answer {
  const blocks = written.map(({ files, nodes, inputs, outputs }) =>
    [
      facts([
        ['wrote', files.join(' and ')],
        ['nodes', whole(nodes)],
      ]),
      table(
        [{ title: 'value' }, { title: 'name' }, { title: 'type' }],
        [...inputs.map(one => ['input', one.name, one.type]), ...outputs.map(one => ['output', one.name, one.type])],
        width,
      ),
    ].join('\n'),
  )
  return { json: document, text: [...blocks, ...notes].join('\n\n') }
}
