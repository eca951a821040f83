import { Option } from 'commander'
import { namesOf } from '../graph/edit.ts'
import { nodeNames, rename } from '../surgery/rename.ts'
import { answering, examples, jsonOption, type Verb, wrongUsage } from './command.ts'
import { editAnswer, openModel, writeEdited } from './edit-model.ts'
import { checkOutput } from './model.ts'
import { type Pair, pairs, splitPair } from './pairs.ts'

interface Options {
  readonly out: string
  readonly map?: readonly Pair[]
  readonly nodes?: readonly Pair[]
}

/** `sinter rename`: a model under other names. */
export const renameVerb: Verb = (program, io) => {
  program
    .command('rename')
    .description('give inputs, outputs, values in between or nodes other names')
    .argument('<model>', 'an .onnx file')
    .requiredOption('-o, --out <file>', 'where to write the model')
    .addOption(
      new Option('--map <old=new>', 'a value and its new name, or a node where no value has the name').argParser(pairs),
    )
    .addOption(new Option('--nodes <old=new>', 'a node and its new name').argParser(pairs))
    .option(...jsonOption)
    .addHelpText(
      'after',
      examples(
        [
          'rename model.onnx --map input.1=image --map 496=scores -o named.onnx',
          'rename model.onnx --map a=b --map b=a --nodes Conv_0=stem -o named.onnx',
        ],
        `Names change everywhere at once, in the bodies of If, Loop and Scan too; names
that are taken are refused. sinter set-dim gives dimensions other symbols.`,
      ),
    )
    .action(
      answering(io, async (path: string, { out, map = [], nodes = [] }: Options) => {
        if (map.length + nodes.length === 0) throw wrongUsage('say what to rename with --map or --nodes.')
        await checkOutput(out, [path])
        const graph = await openModel(path)
        const [ofValues, ofNodes] = [namesOf(graph), nodeNames(graph)]
        const renaming = { values: {} as Record<string, string>, nodes: {} as Record<string, string> }
        for (const pair of map) {
          const [old, name] = splitPair(pair, left => ofValues.has(left) || ofNodes.has(left))
          renaming[!ofValues.has(old) && ofNodes.has(old) ? 'nodes' : 'values'][old] = name
        }
        for (const pair of nodes) {
          const [old, name] = splitPair(pair, left => ofNodes.has(left))
          renaming.nodes[old] = name
        }
        const written = await writeEdited(out, rename(graph, renaming), [path])
        return editAnswer({ ...written, renamed: renaming }, [written], [], io.columns)
      }),
    )
}
