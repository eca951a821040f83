import { cut } from '../surgery/cut.ts'
import { answering, examples, jsonOption, type Verb, wrongUsage } from './command.ts'
import { editAnswer, openModel, writeEdited } from './edit-model.ts'
import { checkOutput } from './model.ts'

interface Options {
  readonly at: readonly string[]
  readonly out: readonly string[]
}

/** `sinter cut`: one model as two. */
export const cutVerb: Verb = (program, io) => {
  program
    .command('cut')
    .description('cut a model in two at some of its values')
    .argument('<model>', 'an .onnx file')
    .requiredOption('--at <names...>', 'values that the first part makes and the second takes, or nodes that make them')
    .requiredOption('-o, --out <files...>', 'where to write the first part, and the second')
    .option(...jsonOption)
    .addHelpText(
      'after',
      examples(
        ['cut model.onnx --at features -o backbone.onnx head.onnx'],
        `Every path from inputs to outputs must go through the values named; where others
lead across too, they are listed. sinter join makes one model of the two again.`,
      ),
    )
    .action(
      answering(io, async (path: string, { at, out }: Options) => {
        const [first, second, ...rest] = out
        if (first === undefined || second === undefined || rest.length > 0)
          throw wrongUsage('-o needs two files: one for each part.')
        await checkOutput(first, [path])
        await checkOutput(second, [path, first])
        const { at: values, before, after } = cut(await openModel(path), at)
        const written = [await writeEdited(first, before, [path]), await writeEdited(second, after, [path, first])]
        return editAnswer({ at: values, before: written[0], after: written[1] }, written, [], io.columns)
      }),
    )
}
