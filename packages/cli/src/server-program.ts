import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CommandError, exitCodes } from './exit-codes.ts'

/** How the server's programs are started: Node 24 and the arguments before the program's own. */
export interface ServerCommand {
  readonly file: string
  readonly args: readonly string[]
}

/** Finds the server beside this CLI, in the checkout or as an installed package, without loading it. */
export function serverCommand(): ServerCommand {
  const main = resolveModule('@gantry/server/main')
  if (!main) {
    throw new CommandError(
      exitCodes.failed,
      'The server is not installed beside this command.',
      'Install it: npm install -g @gantry/server. Or use a platform elsewhere: gantry login URL',
    )
  }
  const conditions = main.endsWith('.ts') ? ['--conditions=gantry-source'] : []
  return { file: findNode(main), args: [...conditions, main] }
}

function resolveModule(name: string): string | undefined {
  try {
    return fileURLToPath(import.meta.resolve(name))
  } catch {
    return undefined
  }
}

const wantedMajor = 24

/** This very Node when it is new enough, else the one that came as a package with the server. */
function findNode(main: string): string {
  if (Number(process.versions.node.split('.')[0]) >= wantedMajor) return process.execPath
  const require = createRequire(main)
  for (const name of [`node-linux-${process.arch}`]) {
    try {
      const file = join(dirname(require.resolve(`${name}/package.json`)), 'bin', 'node')
      if (existsSync(file)) return file
    } catch {
      // not installed: the next one, or told below
    }
  }
  throw new CommandError(
    exitCodes.failed,
    `Gantry's server needs Node.js ${wantedMajor}, and this is ${process.versions.node}.`,
    `Its package node-linux-${process.arch} was not installed: install again with optional dependencies.`,
  )
}
