import { join } from 'node:path'
import { Option } from 'commander'
import { loadRecipe } from '../recipe/load.ts'
import { run } from '../recipe/run.ts'
import { renderTable, terminalOptions } from '../report/table.ts'
import { answering, examples, jsonOption, type Verb, wrongUsage } from './command.ts'
import { wholeNumber } from './options.ts'
import { showProgress } from './progress.ts'

interface Options {
  readonly out?: string
  readonly resume?: string
  readonly quick?: boolean
  readonly threads?: number
}

/** `sinter run recipe.ts`: from labelled data to one shipped file. */
export const runVerb: Verb = (program, io) => {
  program
    .command('run')
    .description(
      'carry out a recipe: train members, compact one, fuse them, choose, evaluate, write the files and a report',
    )
    .argument('<recipe>', 'a sinter.config.ts (or .js, .json) with the recipe')
    .option('--out <folder>', 'folder to write (default: runs/<time>-<name>)')
    .option('--resume <folder>', 'go on with an interrupted run')
    .option('--quick', "the recipe's short form: the part of the data that its section quick names")
    .addOption(new Option('--threads <count>', 'cores to use (default: all)').argParser(wholeNumber))
    .option(...jsonOption)
    .addHelpText(
      'after',
      examples(
        [
          'run sinter.config.ts --quick',
          'run sinter.config.ts --out runs/first --threads 4',
          'run sinter.config.ts --resume runs/first',
        ],
        `Writes run.json, report.html, members/*.onnx, ensembles/*.onnx, ensemble.onnx
and compact.onnx into the folder. Ctrl-C stops; --resume goes on from the last
whole epoch of each member, with the same recipe and the same --quick.`,
      ),
    )
    .action(
      answering(io, async (path: string, options: Options) => {
        if (options.resume !== undefined && options.out !== undefined)
          throw wrongUsage('--resume names the folder itself; leave --out away.')
        const recipe = await loadRecipe(path)
        const out = options.resume ?? options.out ?? join('runs', `${timestamp(new Date())}-${recipe.name}`)
        const progress = showProgress(io)
        try {
          const record = await run(recipe, {
            path,
            out,
            resume: options.resume !== undefined,
            quick: options.quick ?? false,
            ...(options.threads === undefined ? {} : { threads: options.threads }),
            onEvent: progress.onEvent,
            signal: io.signal,
          })
          return {
            json: { folder: out, ...record },
            text: `${renderTable(record, terminalOptions(process.stdout, process.env))}\nWritten to ${out}: open ${join(out, 'report.html')}`,
          }
        } finally {
          progress.stop()
        }
      }),
    )
}

function timestamp(date: Date): string {
  return date.toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-')
}
