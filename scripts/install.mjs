/** What `npm run up` and `npm test` need before anything of Gantry can run: plain JavaScript for any Node from 20 on. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const lockfile = join(root, 'package-lock.json')
const marker = join(root, 'node_modules', '.gantry-installed')

/** Runs `npm ci` when node_modules is missing or was installed from another lockfile. */
export async function ensureInstalled() {
  const wanted = createHash('sha256').update(readFileSync(lockfile)).update(process.arch).digest('hex')
  if (!isInstalled(wanted)) {
    console.log('Installing what Gantry needs (npm ci) …')
    const npm = process.env.npm_execpath
    const ci = ['ci', '--loglevel=error'] // npm warns of each package that needs the Node.js which it is about to bring
    const [file, args] = npm && /\.c?js$/.test(npm) ? [process.execPath, [npm, ...ci]] : ['npm', ci]
    const code = await run(file, args)
    if (code !== 0) {
      console.error('npm ci failed; what it says is above.')
      process.exit(code || 1)
    }
  }
  writeFileSync(marker, wanted)
}

function isInstalled(wanted) {
  if (existsSync(marker)) return readFileSync(marker, 'utf8') === wanted && existsSync(nodePackage())
  const hidden = join(root, 'node_modules', '.package-lock.json') // of an npm that somebody ran by hand
  return existsSync(hidden) && statSync(hidden).mtimeMs >= statSync(lockfile).mtimeMs && existsSync(nodePackage())
}

function nodePackage() {
  return join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')
}

/** Node 24: the one that came with `npm ci`, else this one where it is new enough. */
export function findNode() {
  if (existsSync(nodePackage())) return nodePackage()
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  console.error(
    `Gantry needs Node.js 24. This is ${process.version}, and npm installed no node-linux-${process.arch} (were optional dependencies left out?).`,
  )
  process.exit(1)
}

/** The environment of Gantry's own programs: compiled code is kept, which saves half of each start. */
export function environment(more = {}) {
  const cache =
    process.env.NODE_COMPILE_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gantry', 'compile')
  return { ...process.env, NODE_COMPILE_CACHE: cache, ...more }
}

/**
 * Runs a program in the checkout with this terminal and resolves with its exit code. SIGTERM is passed on, and so is the death of
 * the shell that npm starts this script by: a killed npm takes only that shell along.
 */
export function run(file, args, env = environment()) {
  const child = spawn(file, args, { cwd: root, env, stdio: 'inherit' })
  const passOn = (signal) => child.kill(signal)
  const onInterrupt = (signal) => {
    if (!process.stdin.isTTY) passOn(signal) // a terminal has sent it to the child already
  }
  process.on('SIGTERM', passOn)
  process.on('SIGHUP', passOn)
  process.on('SIGINT', onInterrupt)
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    passOn('SIGTERM')
  }, 500)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      clearInterval(watch)
      process.off('SIGTERM', passOn).off('SIGHUP', passOn).off('SIGINT', onInterrupt)
      resolve(signal ? 128 + (signalNumbers[signal] ?? 0) : (code ?? 1))
    })
  })
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }
