import { formatShape, formatType, type ValueType } from '../base/shape.ts'
import { isLazy, numbers, type Tensor } from '../base/tensor.ts'
import { type Attribute, type Body, type Graph, type Node, namedBodiesOf, type SparseTensor } from './graph.ts'
import { assertNesting } from './nesting.ts'

/** Lists longer than this are cut. */
const maxItems = 8
const maxText = 60

/**
 * A graph as text, one value or node a line, the bodies of If, Loop and Scan indented below their node:
 *
 *     graph digits (ai.onnx 21)
 *       input image: float32[N,1,28,28]
 *       weight w: float32[8,1,3,3]
 *       h: float32[N,8,26,26] = Conv(image, w) kernel_shape=[3,3]  # conv1
 *       output h: float32[N,8,26,26]
 */
export function print(graph: Body | Graph): string {
  assertNesting(graph)
  const sets = 'opset' in graph ? ` (${printOpset(graph.opset)})` : ''
  const title = `graph${graph.name === '' ? '' : ` ${printName(graph.name)}`}${sets}`
  return `${lines(graph, title).map(onOneLine).join('\n')}\n`
}

/** One node on one line; its bodies are named, but not shown. */
export function printNode(node: Node, types: ReadonlyMap<string, ValueType> = new Map()): string {
  const outputs = node.outputs.map(name => {
    const type = types.get(name)
    return type ? `${printName(name)}: ${formatType(type)}` : printName(name)
  })
  const op = node.domain === '' ? node.op : `${node.domain}.${node.op}`
  const attributes = Object.entries(node.attributes)
    .filter(([, { type }]) => type !== 'graph' && type !== 'graphs')
    .map(([name, attribute]) => ` ${name}=${printAttribute(attribute)}`)
  const comment = node.name === '' ? '' : `  # ${printName(node.name)}`
  const inputs = node.inputs.map(printName).join(', ')
  return onOneLine(`${outputs.join(', ')} = ${op}(${inputs})${attributes.join('')}${comment}`)
}

/** Whatever a file has for names: no line ends, and nothing that a terminal obeys. */
function onOneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, c => `\\u${c.codePointAt(0)!.toString(16).padStart(4, '0')}`)
}

function lines(body: Body, title: string): string[] {
  const typeOf = new Map([...body.types])
  for (const { name, type } of body.outputs) if (type) typeOf.set(name, type)
  return [
    title,
    ...body.inputs.map(({ name, type }) => `  input ${printName(name)}: ${formatType(type)}`),
    ...Array.from(body.initializers, ([name, tensor]) => `  weight ${printName(name)}: ${printTensor(tensor)}`),
    ...Array.from(body.sparseInitializers ?? [], ([name, t]) => `  weight ${printName(name)}: ${printSparse(t)}`),
    ...body.nodes.flatMap(node => [`  ${printNode(node, typeOf)}`, ...bodyLines(node)]),
    ...body.outputs.map(({ name, type }) => `  output ${printName(name)}: ${formatType(type)}`),
  ]
}

function bodyLines(node: Node): string[] {
  return namedBodiesOf(node).flatMap(([name, body]) => lines(body, `${name}:`).map(line => `    ${line}`))
}

function printOpset(opset: Readonly<Record<string, number>>): string {
  return Object.entries(opset)
    .map(([domain, version]) => `${domain === '' ? 'ai.onnx' : printName(domain)} ${version}`)
    .join(', ')
}

/** Names that would not stay one word are quoted; what is left out is a dash. */
function printName(name: string): string {
  if (name === '') return '-'
  return /^[\p{L}\p{N}_.:/@$+[\]-]+$/u.test(name) && name !== '-' ? name : JSON.stringify(name)
}

function printAttribute(attribute: Attribute): string {
  switch (attribute.type) {
    case 'float':
      return printFloat(attribute.value)
    case 'int':
      return String(attribute.value)
    case 'string':
      return printText(attribute.value)
    case 'bytes':
      return `${attribute.value.length} bytes`
    case 'tensor':
      return printTensor(attribute.value)
    case 'sparse':
      return printSparse(attribute.value)
    case 'type':
      return formatType(attribute.value)
    case 'floats':
      return printList(attribute.value, printFloat)
    case 'ints':
      return printList(attribute.value, String)
    case 'strings':
      return printList(attribute.value, printText)
    case 'tensors':
      return printList(attribute.value, printTensor)
    case 'sparses':
      return printList(attribute.value, printSparse)
    case 'types':
      return printList(attribute.value, formatType)
    case 'graph':
    case 'graphs':
      return 'a graph'
  }
}

function printTensor(tensor: Tensor): string {
  const type = `${tensor.dtype}${formatShape(tensor.shape)}`
  if (isLazy(tensor) || tensor.data.length > maxItems) return type
  const values = printValues(tensor)
  return values === undefined ? type : `${type} = ${tensor.shape.length === 0 ? values.slice(1, -1) : values}`
}

function printValues(tensor: Tensor): string | undefined {
  switch (tensor.dtype) {
    case 'string':
      return printList(tensor.data as readonly string[], printText)
    case 'int64':
    case 'uint64':
      return printList(Array.from(tensor.data as BigInt64Array), String)
    case 'float32':
    case 'float16':
    case 'bfloat16':
      return printList(Array.from(numbers(tensor)), printFloat)
    case 'float64':
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint8':
    case 'uint16':
    case 'uint32':
    case 'bool':
      return printList(Array.from(numbers(tensor)), String)
    default:
      return undefined
  }
}

function printSparse({ values, shape }: SparseTensor): string {
  return `sparse ${values.dtype}${formatShape(shape)} with ${values.shape[0] ?? 0} values`
}

function printList<T>(items: readonly T[], print: (item: T) => string): string {
  const shown = items.slice(0, maxItems).map(print)
  return `[${[...shown, ...(items.length > maxItems ? [`... ${items.length} in all`] : [])].join(',')}]`
}

function printText(text: string): string {
  return JSON.stringify(text.length > maxText ? `${text.slice(0, maxText)}...` : text)
}

/** The shortest decimal that is the same float32: 0.1, not 0.10000000149011612. */
function printFloat(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === Math.fround(value)) return String(short)
  }
  return String(value)
}
