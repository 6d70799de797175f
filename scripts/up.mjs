/** `npm run up`: installs what is missing, puts `gantry` on the PATH, and starts the platform. */
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { ensureInstalled, environment, findNode, root, run } from './install.mjs'

await ensureInstalled()
linkCommand()
const cli = join(root, 'packages', 'cli', 'src', 'main.ts')
process.exitCode = await run(
  findNode(),
  ['--conditions=gantry-source', cli, 'up', ...process.argv.slice(2)],
  environment(),
)

/** Links `gantry` where this user's commands are. A file there that is not a link to a checkout's launcher is left alone. */
function linkCommand() {
  const launcher = join(root, 'gantry')
  const folder = process.getuid?.() === 0 ? '/usr/local/bin' : join(homedir(), '.local', 'bin')
  const link = join(folder, 'gantry')
  try {
    const found = lstatSync(link, { throwIfNoEntry: false })
    if (found && !isOurs(link, found)) {
      console.log(`${link} is another program and stays. Use ${launcher} instead.`)
      return
    }
    if (found && resolve(folder, readlinkSync(link)) === launcher) return
    mkdirSync(folder, { recursive: true })
    if (found) rmSync(link)
    symlinkSync(launcher, link)
    const inPath = (process.env.PATH ?? '').split(':').includes(folder)
    console.log(`The command gantry is now ${link}${inPath ? '' : `, which is not in your PATH: add ${folder} to it`}.`)
  } catch (error) {
    console.log(`The command gantry could not be linked (${error.message}). Use ${launcher} instead.`)
  }
}

/** A link to the launcher of a checkout, this one, another one, or one that is gone. */
function isOurs(link, found) {
  if (!found.isSymbolicLink()) return false
  const target = resolve(dirname(link), readlinkSync(link))
  if (!existsSync(target)) return target.endsWith('/gantry')
  return (
    existsSync(join(dirname(target), 'packages', 'cli', 'package.json')) &&
    readFileSync(target, 'utf8').startsWith('#!/bin/sh')
  )
}
