import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Blobs, makeBlobs } from './testing/blobs.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const jiti = resolve(root, 'node_modules/jiti/lib/jiti-cli.mjs')
const main = resolve(import.meta.dirname, 'main.ts')

let blobs: Blobs
beforeAll(async () => {
  blobs = await makeBlobs()
})
afterAll(() => blobs.remove())

describe('the command as a process', () => {
  test('prints one document and ends with the exit code', async () => {
    const { stdout, stderr } = await run(process.execPath, [jiti, main, 'inspect', blobs.at('net.onnx'), '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ parameters: 51 })
    expect(stderr).toBe('')
    await expect(run(process.execPath, [jiti, main, 'inspect', blobs.at('none.onnx')])).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^sinter: /),
    })
  })

  test.skipIf(process.platform === 'win32')('does not mind a reader that has seen enough', async () => {
    const command = `"${process.execPath}" "${jiti}" "${main}" ops --reasons --json | head -n 1; echo "\${PIPESTATUS[0]}"`
    const { stdout, stderr } = await run('bash', ['-c', command])
    expect(stdout).toBe('{\n0\n')
    expect(stderr).toBe('')
  })
})
