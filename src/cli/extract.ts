import { extract } from '../surgery/extract.ts'
import { answering, examples, jsonOption, type Verb } from './command.ts'
import { editAnswer, openModel, writeEdited } from './edit-model.ts'
import { checkOutput } from './model.ts'

interface Options {
  readonly out: string
  readonly inputs?: readonly string[]
  readonly outputs?: readonly string[]
}

/** `sinter extract`: the part of a model between some of its values. */
export const extractVerb: Verb = (program, io) => {
  program
    .command('extract')
    .description('write the part of a model between some of its values')
    .argument('<model>', 'an .onnx file')
    .requiredOption('-o, --out <file>', 'where to write the part')
    .option('--inputs <names...>', "values that become its inputs (default: the model's own)")
    .option('--outputs <names...>', "values that become its outputs (default: the model's own)")
    .option(...jsonOption)
    .addHelpText(
      'after',
      examples(
        [
          'extract model.onnx --outputs features -o backbone.onnx',
          'extract model.onnx --inputs features --outputs scores boxes -o head.onnx',
        ],
        `Types of the new inputs and outputs are inferred. sinter inspect --layers and
--graph show the names that there are; a node's stands for the value it makes.`,
      ),
    )
    .action(
      answering(io, async (path: string, { out, inputs, outputs }: Options) => {
        await checkOutput(out, [path])
        const part = extract(await openModel(path), { ...(inputs ? { inputs } : {}), ...(outputs ? { outputs } : {}) })
        const written = await writeEdited(out, part, [path])
        return editAnswer({ ...written }, [written], [], io.columns)
      }),
    )
}
