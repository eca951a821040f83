#!/usr/bin/env node
import { runCli } from './cli.ts'

const stop = new AbortController()

function onSignal(): void {
  // A second Ctrl-C does not wait, not even for a thread that the engine is busy on: leaving in order would.
  if (stop.signal.aborted) process.kill(process.pid, 'SIGKILL')
  process.stderr.write('\nStopping after the step under way (Ctrl-C again to stop at once).\n')
  stop.abort()
}
process.on('SIGINT', onSignal)
process.on('SIGTERM', onSignal)

// A reader that has seen enough (`| head`) is no error, and nothing more needs to be written.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

process.exitCode = await runCli(process.argv.slice(2), {
  out: text => process.stdout.write(text),
  err: text => process.stderr.write(text),
  live: process.stderr.isTTY ?? false,
  columns: Math.max(60, Math.min(process.stdout.columns || 80, 120)),
  signal: stop.signal,
})
process.off('SIGINT', onSignal)
process.off('SIGTERM', onSignal)
