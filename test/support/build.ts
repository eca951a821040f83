import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'

/** Builds the package once before all tests: some use it as a stranger would, by its name or its command. Types are checked elsewhere. */
export default function setup(): void {
  execFileSync('npm', ['run', '--silent', 'build', '--', '--noCheck'], {
    cwd: resolve(import.meta.dirname, '../..'),
    stdio: 'inherit',
  })
}
