#!/usr/bin/env node
import { readFileSync } from 'node:fs'

const [first] = process.argv.slice(2)
if (first === '--version' || first === '-V' || first === 'version') {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  process.stdout.write(`gantry ${version}\n`)
} else {
  await keepCompiledCode()
  const { runCommandLine } = await import('./run-command-line.ts')
  process.exitCode = await runCommandLine(process)
}

/** Saves a tenth of each start, from Node 22 on. In a folder of this user: Node's own choice, /tmp, is anybody's. */
async function keepCompiledCode(): Promise<void> {
  const [{ default: module }, { homedir }] = await Promise.all([import('node:module'), import('node:os')])
  const caches = process.env.XDG_CACHE_HOME || `${process.env.HOME || homedir()}/.cache`
  module.enableCompileCache?.(`${caches}/gantry/compile`)
}
