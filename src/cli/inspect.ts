import { Option } from 'commander'
import { formatShape, formatType, isTensorType } from '../base/shape.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { requiredInputs } from '../graph/graph.ts'
import { print } from '../graph/print.ts'
import { readModel } from '../onnx/files.ts'
import { check, type Problem } from '../read/check.ts'
import { countNodes, countOperators, type Layer, type OperatorRefusal, summarize } from '../read/summary.ts'
import { type Refusal, upgrade } from '../read/upgrade.ts'
import { counted, fileSize, whole } from '../report/format.ts'
import { clean, wrap } from '../report/text.ts'
import { answering, examples, jsonOption, type Verb } from './command.ts'
import { bytesOfModel, checkSymbols } from './model.ts'
import { sizes } from './options.ts'
import { facts, table } from './table.ts'

export interface InspectOptions {
  /** Sizes of symbolic dimensions; those not named are 1. */
  readonly bind?: Readonly<Record<string, number>>
}

/** What a model file holds and costs. What follows from shapes is null where the graph is broken. */
export interface Inspection {
  readonly file: string
  readonly name: string
  readonly producer: { readonly name: string; readonly version: string } | null
  readonly irVersion: number | null
  readonly opset: Readonly<Record<string, number>>
  readonly bytes: number
  readonly nodes: number
  readonly parameters: number | null
  readonly macs: number | null
  readonly peakActivationBytes: number | null
  /** Nodes whose multiply-accumulates are not known, and so not in `macs`. */
  readonly uncounted: number | null
  readonly inputs: readonly ValueDocument[]
  readonly outputs: readonly ValueDocument[]
  readonly operators: Readonly<Record<string, number>>
  readonly layers: readonly Layer[]
  readonly refusals: readonly OperatorRefusal[]
  /** Why the graph could not be upgraded to the opset that Sinter works in; empty if it could. */
  readonly notUpgraded: readonly Refusal[]
  readonly problems: readonly Problem[]
  readonly metadata: Readonly<Record<string, string>>
}

interface ValueDocument {
  readonly name: string
  readonly type: string
  readonly dtype: string | null
  readonly shape: readonly (number | string)[] | null
}

/** Reads a model file and says what is in it, also where it breaks the rules of ONNX. */
export async function inspect(path: string, options: InspectOptions = {}): Promise<Inspection> {
  return inspectGraph(await readModel(path), path, options)
}

async function inspectGraph(graph: Graph, path: string, options: InspectOptions): Promise<Inspection> {
  const problems = check(graph)
  const sound = problems.length === 0
  const summary = sound ? summarize(graph, options) : undefined
  return {
    file: path,
    name: graph.name,
    producer: graph.producer ?? null,
    irVersion: graph.irVersion ?? null,
    opset: graph.opset,
    bytes: await bytesOfModel(path, graph),
    nodes: countNodes(graph),
    parameters: summary?.parameters ?? null,
    macs: summary?.macs ?? null,
    peakActivationBytes: summary?.peakActivationBytes ?? null,
    uncounted: summary?.uncounted ?? null,
    inputs: (summary?.inputs ?? requiredInputs(graph)).map(valueDocument),
    outputs: (summary?.outputs ?? graph.outputs).map(valueDocument),
    operators: Object.fromEntries(countOperators(graph)),
    layers: summary?.layers ?? [],
    refusals: summary?.refusals ?? [],
    notUpgraded: sound ? upgrade(graph).refused : [],
    problems,
    metadata: graph.metadata,
  }
}

function valueDocument({ name, type }: Value): ValueDocument {
  const tensor = isTensorType(type) ? type : undefined
  return { name, type: formatType(type), dtype: tensor?.dtype ?? null, shape: tensor?.shape ?? null }
}

interface Options extends InspectOptions {
  readonly layers?: boolean
  readonly graph?: boolean
}

/** `sinter inspect`: what is in a model file. */
export const inspectVerb: Verb = (program, io) => {
  program
    .command('inspect')
    .description('show what is in a model: inputs, outputs, operators, parameters, costs, problems')
    .argument('<model>', 'an .onnx file')
    .option('--layers', 'a line for each node: name, operator, output shape, parameters, MACs')
    .option('--graph', 'the whole graph as text instead')
    .addOption(
      new Option('--bind <sizes>', 'sizes of symbolic dimensions, such as N=8 (default: 1 each)').argParser(sizes),
    )
    .option(...jsonOption)
    .addHelpText(
      'after',
      examples(
        ['inspect model.onnx', 'inspect model.onnx --layers --bind N=8', 'inspect model.onnx --json | jq .macs'],
        `MACs are multiply-accumulates of convolutions and matrix products for one run.
A broken graph is no error here: its problems are listed.`,
      ),
    )
    .action(
      answering(io, async (path: string, options: Options) => {
        const graph = await readModel(path)
        checkSymbols(options.bind ?? {}, [graph])
        if (options.graph) return { json: { file: path, graph: print(graph) }, text: print(graph) }
        const found = await inspectGraph(graph, path, options)
        return { json: found, text: textOf(found, options, io.columns) }
      }),
    )
}

function textOf(found: Inspection, { layers = false, bind }: Options, width: number): string {
  const sections = [
    overview(found, bind),
    table(
      [{ title: 'value' }, { title: 'name' }, { title: 'type' }],
      [
        ...found.inputs.map(({ name, type }) => ['input', name, type]),
        ...found.outputs.map(({ name, type }) => ['output', name, type]),
      ],
      width,
    ),
    operatorsTable(found, width),
  ]
  if (layers) sections.push(layersTable(found.layers, width))
  if (found.refusals.length > 0) sections.push(refusalsTable(found.refusals, width))
  const lines = [
    ...found.notUpgraded.map(({ node, why }) => `Not upgraded: ${node}: ${why}.`),
    ...found.problems.map(({ code, message }) => `Problem (${code}): ${message}`),
  ]
  if (lines.length > 0) sections.push(lines.map(line => wrap(clean(line), width)).join('\n'))
  return sections.join('\n\n')
}

function overview(found: Inspection, bind: InspectOptions['bind']): string {
  const { producer, uncounted, opset } = found
  const sets = Object.entries(opset).map(([domain, version]) => `${domain || 'ai.onnx'} ${version}`)
  return facts([
    ['model', `${found.file}${found.name === '' ? '' : ` (${found.name})`}`],
    ['size', fileSize(found.bytes)],
    ['opset', sets.join(', ')],
    ...(producer ? [['producer', `${producer.name} ${producer.version}`.trim()] as const] : []),
    ['nodes', whole(found.nodes)],
    ['parameters', whole(found.parameters)],
    ['MACs', `${whole(found.macs)}${sizesOf(found, bind)}`],
    ...(uncounted
      ? [['', `without ${counted(uncounted, 'node')} that depend on sizes not known; see --bind`] as const]
      : []),
    ['activations', `${finite(found.peakActivationBytes, fileSize)} at the peak`],
  ])
}

/** The sizes that costs are counted for, where a model has symbols. */
function sizesOf({ inputs }: Inspection, bind: InspectOptions['bind'] = {}): string {
  const symbols = new Set(inputs.flatMap(({ shape }) => shape ?? []).filter(dim => typeof dim === 'string'))
  symbols.delete('')
  const bound = [...symbols].map(symbol => `${symbol}=${bind[symbol] ?? 1}`)
  return bound.length === 0 ? '' : ` for ${bound.join(', ')}`
}

/** Sizes that are open leave a number unknown. */
function finite(value: number | null, format: (value: number | null) => string): string {
  return format(value !== null && Number.isFinite(value) ? value : null)
}

function operatorsTable({ operators, layers }: Inspection, width: number): string {
  const sum = (operator: string, key: 'parameters' | 'macs') =>
    layers.filter(layer => layer.operator === operator).reduce((total, layer) => total + layer[key], 0)
  return table(
    [
      { title: 'operator' },
      { title: 'nodes', align: 'right' },
      { title: 'parameters', align: 'right' },
      { title: 'MACs', align: 'right' },
    ],
    Object.entries(operators).map(([operator, count]) => [
      operator,
      String(count),
      blankZero(sum(operator, 'parameters')),
      blankZero(sum(operator, 'macs')),
    ]),
    width,
  )
}

function layersTable(layers: readonly Layer[], width: number): string {
  return table(
    [
      { title: 'layer' },
      { title: 'operator' },
      { title: 'output' },
      { title: 'parameters', align: 'right' },
      { title: 'MACs', align: 'right' },
    ],
    layers.map(({ name, operator, shape, parameters, macs }) => [
      name,
      operator,
      formatShape(shape),
      blankZero(parameters),
      blankZero(macs),
    ]),
    width,
  )
}

function blankZero(value: number): string {
  return value === 0 ? '' : whole(value)
}

const doing = { gradient: 'train through', coupling: 'prune', cost: 'count' } as const

/** Reasons are sentences: they go below what they are for, in full. */
function refusalsTable(refusals: readonly OperatorRefusal[], width: number): string {
  const blocks = refusals.map(({ operator, nodes, column, why }) => {
    const what = `cannot ${doing[column]} ${operator} (${counted(nodes, 'node')}): ${why}`
    return wrap(clean(what), width - 4).replaceAll('\n', '\n    ')
  })
  return blocks.join('\n')
}
