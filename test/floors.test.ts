import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { describe, expect, test } from 'vitest'

/**
 * The house's floors, from the ground up: a room imports from lower floors and from itself, never from a neighbour on its
 * own floor. ARCHITECTURE.md says what each is for.
 */
const floors: readonly (readonly string[])[] = [
  ['base'],
  ['graph', 'onnx', 'data'],
  ['ops'],
  ['read'],
  ['rewrite', 'runtime'],
  ['simplify', 'compact', 'surgery', 'gradient', 'nn', 'fuse'],
  ['evaluate', 'verify'],
  ['train', 'select'],
  ['report'],
  ['recipe'],
  ['cli'],
]

/** Imports that cross floors downwards only on paper: decoding is making a graph. */
const sameFloor: readonly string[] = ['onnx -> graph']

const root = resolve(import.meta.dirname, '../src')
const floorOf = new Map(floors.flatMap((rooms, floor) => rooms.map(room => [room, floor] as const)))

interface Import {
  readonly file: string
  readonly from: string
  readonly to: string
}

const isProduct = (file: string) =>
  file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes(`testing${sep}`)

function importsOf(file: string, read = (path: string) => readFileSync(path, 'utf8')): readonly string[] {
  return [...read(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(match =>
    resolve(dirname(file), match[1]!),
  )
}

/** A file's text without the imports that exist for the compiler only. */
function withoutTypes(file: string): string {
  return readFileSync(file, 'utf8').replace(/^(?:import|export) type [^']*'[^']+'/gm, '')
}

const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(isProduct)
const roomOf = (path: string) => relative(root, path).split(sep)[0]!
const imports: readonly Import[] = files.flatMap(file =>
  importsOf(join(root, file)).map(target => ({ file, from: roomOf(join(root, file)), to: roomOf(target) })),
)
const inRooms = imports.filter(({ from, to }) => floorOf.has(from) && floorOf.has(to) && from !== to)

describe('the floors of the house', () => {
  test('are all there: every folder under src stands on one', () => {
    const folders = readdirSync(root, { withFileTypes: true }).flatMap(entry =>
      entry.isDirectory() ? [entry.name] : [],
    )
    expect(folders.filter(folder => !floorOf.has(folder))).toEqual([])
  })

  test('carry each other: rooms import from lower floors only', () => {
    const wrong = inRooms.filter(
      ({ from, to }) => floorOf.get(to)! >= floorOf.get(from)! && !sameFloor.includes(`${from} -> ${to}`),
    )
    expect(wrong.map(({ file, to }) => `${file} -> ${to}`)).toEqual([])
  })

  test('keep the engine out of the transforms: nothing from graph to fuse runs a model', () => {
    const transforms = [
      'graph',
      'onnx',
      'ops',
      'read',
      'rewrite',
      'simplify',
      'compact',
      'surgery',
      'gradient',
      'nn',
      'fuse',
    ]
    const users = files.filter(
      file =>
        transforms.includes(roomOf(join(root, file))) &&
        importsOf(join(root, file), withoutTypes).some(target => roomOf(target) === 'runtime'),
    )
    expect(users).toEqual([])
  })

  test('import onnxruntime in the runtime alone', () => {
    const users = files.filter(file =>
      /from 'onnxruntime-|import\('onnxruntime-/.test(readFileSync(join(root, file), 'utf8')),
    )
    expect(users.filter(file => !file.startsWith('runtime'))).toEqual([])
  })

  test('leave the first door open to every JavaScript: nothing behind index.ts needs Node or an engine', () => {
    const reached = new Set([join(root, 'index.ts')])
    for (const file of reached) for (const target of importsOf(file, withoutTypes)) reached.add(target)
    const bound = [...reached].filter(file => /from '(?:node:|onnxruntime-)/.test(withoutTypes(file)))
    expect(bound.map(file => relative(root, file))).toEqual([])
    expect(reached.size).toBeGreaterThan(100)
  })

  test('lead from the front doors inwards: no room imports a door', () => {
    const doors = imports.filter(({ from, to }) => floorOf.has(from) && !floorOf.has(to))
    expect(doors.map(({ file, to }) => `${file} -> ${to}`)).toEqual([])
  })
})
