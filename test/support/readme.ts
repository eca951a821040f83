import { readFile } from 'node:fs/promises'

/** The code blocks of the README in one language ('' for those that name none), in order. */
export async function readmeBlocks(language: string): Promise<readonly string[]> {
  const text = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const blocks = [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
  return blocks.filter(([, found]) => found === language).map(([, , code]) => code!)
}
