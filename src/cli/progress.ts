import cliProgress from 'cli-progress'
import type { RunEvent } from '../recipe/context.ts'
import type { TrainProgress } from '../train/train.ts'
import type { Io } from './command.ts'

/** Shows a run as it goes: live bars on a terminal, else a line for each epoch. */
export interface Progress {
  readonly onEvent: (event: RunEvent) => void
  stop(): void
}

export function showProgress(io: Io): Progress {
  return io.live ? liveBars(io) : plainLines(io)
}

function plainLines({ err }: Io): Progress {
  return {
    onEvent(event) {
      if (event.type === 'stage') err(`${event.title}\n`)
      else if (event.type === 'note') err(`  ${event.text}\n`)
      else if (event.type === 'trained')
        err(`  ${event.name}: trained in ${seconds(event.seconds)}, validation accuracy ${percent(event.accuracy)}\n`)
      else if (event.progress.record) err(`  ${event.name}: ${epochLine(event.progress)}\n`)
    },
    stop() {},
  }
}

function liveBars({ err }: Io): Progress {
  const bars = new cliProgress.MultiBar(
    {
      format: '  {name} {bar} {epoch}  loss {loss}  {rate} rows/s  {eta_text}{accuracy}',
      barsize: 16,
      hideCursor: true,
      clearOnComplete: false,
      forceRedraw: false,
      stream: process.stderr,
    },
    cliProgress.Presets.shades_classic,
  )
  const open = new Map<string, ReturnType<typeof bars.create>>()
  return {
    onEvent(event) {
      if (event.type === 'stage') bars.log(`${event.title}\n`)
      else if (event.type === 'note') bars.log(`  ${event.text}\n`)
      else if (event.type === 'train') {
        const { epoch, epochs, step, steps, loss, throughput, remainingSeconds, record } = event.progress
        const bar = open.get(event.name) ?? bars.create(epochs * steps, 0)
        open.set(event.name, bar)
        bar.update((epoch - 1) * steps + step, {
          name: event.name.padEnd(24),
          epoch: `${epoch}/${epochs}`,
          loss: loss.toFixed(4),
          rate: Math.round(throughput).toString().padStart(6),
          eta_text: `ETA ${seconds(remainingSeconds)}`,
          accuracy:
            record?.validation.accuracy === undefined ? '' : `  validation ${percent(record.validation.accuracy)}`,
        })
      } else {
        open.get(event.name)?.stop()
      }
      bars.update()
    },
    stop() {
      bars.stop()
      err('\n')
    },
  }
}

function epochLine({ epoch, epochs, loss, throughput, remainingSeconds, record }: TrainProgress): string {
  const accuracy = record?.validation.accuracy
  const validation = accuracy === undefined ? '' : `, validation ${percent(accuracy)}`
  return `epoch ${epoch}/${epochs}, loss ${loss.toFixed(4)}${validation}, ${Math.round(throughput)} rows/s, ETA ${seconds(remainingSeconds)}`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`
}

function seconds(value: number): string {
  return value < 90 ? `${Math.round(value)} s` : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`
}
