import { Command, CommanderError } from 'commander'
import { SinterError } from '../base/errors.ts'
import { versions } from '../recipe/versions.ts'
import { clean, wrap } from '../report/text.ts'
import { errorDocument, type Io, printJson, Unmet, type Verb } from './command.ts'
import { compareVerb } from './compare.ts'
import { cutVerb } from './cut.ts'
import { evaluateVerb } from './evaluate.ts'
import { extractVerb } from './extract.ts'
import { fuseVerb } from './fuse.ts'
import { inspectVerb } from './inspect.ts'
import { joinVerb } from './join.ts'
import { opsVerb } from './ops.ts'
import { renameVerb } from './rename.ts'
import { runVerb } from './run.ts'
import { setConstantVerb } from './set-constant.ts'
import { setDimVerb } from './set-dim.ts'
import { simplifyVerb } from './simplify.ts'
import { trainVerb } from './train.ts'

const verbs: readonly Verb[] = [
  runVerb,
  inspectVerb,
  simplifyVerb,
  compareVerb,
  trainVerb,
  evaluateVerb,
  fuseVerb,
  extractVerb,
  cutVerb,
  joinVerb,
  renameVerb,
  setConstantVerb,
  setDimVerb,
  opsVerb,
]

/** Exit codes: done, refused with a reason or not as demanded, wrong usage, stopped by the user (128 + SIGINT). */
export const exit = { done: 0, refused: 1, usage: 2, interrupted: 130 } as const

/**
 * Runs a command line and gives its exit code. Results go to `out`, progress and errors to `err`; with `--json`, `out`
 * gets exactly one document, an error's too.
 */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  const json = args.includes('--json')
  try {
    const program = new Command('sinter')
      .description('Compacts neural networks and fuses several into one better model: ONNX in, ONNX out.')
      .version((await versions()).sinter)
      // Sub-commands inherit these two, so they come before any is added.
      .exitOverride()
      .configureOutput({
        writeOut: io.out,
        writeErr: json ? () => {} : io.err,
        outputError: (text, write) => write(wrapped(text, io.columns)),
        getOutHelpWidth: () => io.columns,
        getErrHelpWidth: () => io.columns,
      })
      .showHelpAfterError('(sinter --help lists the verbs, sinter <verb> --help its options)')
      .addHelpText('after', '\nExit codes: 0 done, 1 refused or not as demanded, 2 wrong usage, 130 stopped.')
    for (const verb of verbs) verb(program, io)
    await program.parseAsync(args as string[], { from: 'user' })
    return exit.done
  } catch (thrown) {
    if (thrown instanceof Unmet) return exit.refused
    const error = asInterrupted(thrown, io.signal)
    if (error instanceof CommanderError && error.exitCode === 0) return exit.done
    if (json) io.out(printJson(errorDocument(error)))
    else tell(error, io)
    if (error instanceof CommanderError) return exit.usage
    return error instanceof SinterError && error.code === 'interrupted' ? exit.interrupted : exit.refused
  }
}

/** What `signal.throwIfAborted` throws is no failure. */
function asInterrupted(error: unknown, signal: AbortSignal): unknown {
  if (!signal.aborted || error !== signal.reason) return error
  return new SinterError('interrupted', 'Stopped.', {}, error)
}

/** Says what went wrong; what commander throws it has said itself. A defect shows where it is. */
function tell(error: unknown, io: Io): void {
  if (error instanceof CommanderError) {
    if (error.code === 'sinter.usage') io.err(wrapped(`${error.message}\n`, io.columns))
  } else if (error instanceof SinterError) io.err(wrapped(`sinter: ${error.message}\n`, io.columns))
  else io.err(`${error instanceof Error ? error.stack : error}\n`)
}

/** Lines no wider than the terminal; what files say cannot steer it. */
function wrapped(text: string, width: number): string {
  return text
    .split('\n')
    .map(line => wrap(clean(line), width))
    .join('\n')
}
