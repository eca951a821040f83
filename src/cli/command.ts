import { type Command, CommanderError } from 'commander'
import { messageOf, SinterError } from '../base/errors.ts'

/** Where a verb writes, and how it is told to stop. */
export interface Io {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Whether standard error is a terminal, so that a line can be drawn over. */
  readonly live: boolean
  /** Width that text should keep to. */
  readonly columns: number
  readonly signal: AbortSignal
}

/** Adds a verb's command to the program. */
export type Verb = (program: Command, io: Io) => void

/** What a verb gives back: the document that `--json` prints, and what a person reads instead. */
export interface Answer {
  readonly json: unknown
  readonly text: string
  /** Whether what the command line demands does not hold: the exit code says so, the answer is printed all the same. */
  readonly failed?: boolean
}

/** Thrown once an answer is printed that is not as demanded. */
export class Unmet extends Error {}

/** The help of the option that every verb has. */
export const jsonOption = ['--json', 'print one JSON document on standard output instead of text'] as const

/** Makes an action of a function that gives an answer: prints it as `--json` asks. */
export function answering<Rest extends readonly unknown[]>(
  io: Io,
  act: (...rest: Rest) => Promise<Answer>,
): (...rest: Rest) => Promise<void> {
  return async (...rest) => {
    const { json, text, failed } = await act(...rest)
    // The last argument but one is the command's options (commander's order).
    const options = rest.at(-2) as { json?: boolean }
    io.out(options.json ? printJson(json) : `${text.trimEnd()}\n`)
    if (failed) throw new Unmet()
  }
}

/** The end of a verb's help: command lines to start from, and what else is worth knowing. */
export function examples(lines: readonly string[], notes = ''): string {
  const shown = lines.map(line => continued(`  $ sinter ${line}`)).join('\n')
  return `\nExamples:\n${shown}\n${notes === '' ? '' : `\n${notes}\n`}`
}

/** A command line, continued where a narrow terminal would break it. */
function continued(line: string): string {
  if (line.length <= 80) return line
  const end = line.lastIndexOf(' -', 77)
  return `${line.slice(0, end)} \\\n     ${continued(line.slice(end))}`
}

/** Refuses a command line that no option's own check refuses: options that do not go together. */
export function wrongUsage(message: string): CommanderError {
  return new CommanderError(2, 'sinter.usage', `error: ${message}`)
}

/** A refusal, or wrong usage, as data. */
export function errorDocument(error: unknown): unknown {
  if (error instanceof SinterError)
    return { error: { code: error.code, message: error.message, details: error.details } }
  if (error instanceof CommanderError) {
    const message = error.code === 'commander.help' ? 'Name a verb; sinter --help lists them.' : error.message
    return { error: { code: 'usage', message: message.replace(/^error: /, ''), details: {} } }
  }
  return { error: { code: 'internal', message: messageOf(error), details: {} } }
}

export function printJson(document: unknown): string {
  return `${JSON.stringify(document, replacer, 2)}\n`
}

/** JSON has no 64-bit integers, maps or typed arrays. */
function replacer(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Map) return Object.fromEntries(value)
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>)
  return value
}
