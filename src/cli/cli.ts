import { Command, CommanderError } from 'commander'
import { SinterError } from '../base/errors.ts'
import { versions } from '../recipe/versions.ts'
import { errorDocument, type Io, type Verb } from './command.ts'
import { compareVerb } from './compare.ts'
import { evaluateVerb } from './evaluate.ts'
import { fuseVerb } from './fuse.ts'
import { inspectVerb } from './inspect.ts'
import { opsVerb } from './ops.ts'
import { runVerb } from './run.ts'
import { trainVerb } from './train.ts'

const verbs: readonly Verb[] = [runVerb, inspectVerb, trainVerb, evaluateVerb, fuseVerb, compareVerb, opsVerb]

/** Exit codes: done, refused with a reason, wrong usage, stopped by the user (128 + SIGINT). */
const exit = { done: 0, refused: 1, usage: 2, interrupted: 130 } as const

/** Runs the command line and gives its exit code. Results go to standard output, progress and errors to standard error. */
export async function runCli(args: readonly string[]): Promise<number> {
  const stop = new AbortController()
  const onSignal = () => {
    // A second Ctrl-C does not wait.
    if (stop.signal.aborted) process.exit(exit.interrupted)
    process.stderr.write('\nStopping after the step under way (Ctrl-C again to stop at once).\n')
    stop.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const io: Io = {
    out: text => process.stdout.write(text),
    err: text => process.stderr.write(text),
    live: process.stderr.isTTY ?? false,
    signal: stop.signal,
  }
  try {
    const program = new Command('sinter')
      .description('Compacts neural networks and fuses several into one better model: ONNX in, ONNX out.')
      .version((await versions()).sinter)
      .exitOverride()
      .showHelpAfterError('(sinter --help lists the verbs, sinter <verb> --help its options)')
      .addHelpText('after', '\nExit codes: 0 done, 1 refused with a reason, 2 wrong usage, 130 stopped by Ctrl-C.')
    for (const verb of verbs) verb(program, io)
    // Sub-commands made by `command` inherit exitOverride only if it was set before: it was.
    await program.parseAsync(args as string[], { from: 'user' })
    return exit.done
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exit.done : exit.usage
    if (args.includes('--json')) io.out(`${JSON.stringify(errorDocument(error), null, 2)}\n`)
    else
      io.err(
        `${error instanceof SinterError ? `sinter: ${error.message}` : error instanceof Error ? error.stack : error}\n`,
      )
    return error instanceof SinterError && error.code === 'interrupted' ? exit.interrupted : exit.refused
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}
