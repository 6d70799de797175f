#!/usr/bin/env node
import { readFileSync } from 'node:fs'

const [first] = process.argv.slice(2)
if (first === '--version' || first === '-V' || first === 'version') {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  process.stdout.write(`gantry ${version}\n`)
} else {
  const { runCommandLine } = await import('./run-command-line.ts')
  process.exitCode = await runCommandLine(process)
}
