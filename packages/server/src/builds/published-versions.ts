import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../kernel/clock.ts'
import { messageOf, UserError } from '../kernel/errors.ts'
import { runArgv, type SpawnArgv } from '../kernel/spawn-argv.ts'
import type { PlatformNode } from './builds-deps.ts'
import type { MachineSettings } from './machine-settings.ts'

export interface PublishedVersionsDeps {
  readonly spawn: SpawnArgv
  readonly clock: Clock
  readonly node: PlatformNode
  readonly machine: MachineSettings
  /** A folder of Gantry's own, for npm's files. */
  readonly folder: string
}

const dayMs = 24 * 60 * 60_000
const timeoutMs = 30_000

/**
 * Asks npm's registry which versions of a package there are, at most once a day a package. Yesterday's answer serves
 * when the registry does not. Throws `UserError` `toolchain_unavailable`.
 */
export function createPublishedVersions(
  deps: PublishedVersionsDeps,
): (npmPackage: string) => Promise<readonly string[]> {
  const known = new Map<string, { versions: readonly string[]; atMs: number }>()
  return async (npmPackage) => {
    const last = known.get(npmPackage)
    if (last && deps.clock.monotonicMs() - last.atMs < dayMs) return last.versions
    try {
      const versions = await askRegistry(deps, npmPackage)
      known.set(npmPackage, { versions, atMs: deps.clock.monotonicMs() })
      return versions
    } catch (error) {
      if (last) return last.versions
      throw new UserError(
        'toolchain_unavailable',
        `The versions of ${npmPackage} could not be read from npm's registry: ${messageOf(error)}`,
        { cause: error },
      )
    }
  }
}

async function askRegistry(deps: PublishedVersionsDeps, npmPackage: string): Promise<string[]> {
  const { node, machine, folder } = deps
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const npmrc = join(folder, 'npmrc')
  await writeFile(npmrc, machine.npmrc)
  const args = [join(node.npmBinFolder, 'npm-cli.js'), 'view', '--json', '--', npmPackage, 'versions']
  const result = await runArgv(deps.spawn, join(node.binFolder, 'node'), args, {
    cwd: folder,
    signal: AbortSignal.timeout(timeoutMs),
    env: {
      ...machine.env,
      PATH: node.binFolder,
      HOME: folder,
      NPM_CONFIG_GLOBALCONFIG: npmrc,
      NPM_CONFIG_CACHE: join(folder, 'cache'),
      NPM_CONFIG_UPDATE_NOTIFIER: 'false',
    },
  })
  await rm(join(folder, 'cache', '_logs'), { recursive: true, force: true })
  if (result.exitCode !== 0) throw new Error(result.stderr.trim().split('\n').slice(-3).join(' ').slice(0, 500))
  const json: unknown = JSON.parse(result.stdout.toString('utf8'))
  const versions = Array.isArray(json) ? json : [json]
  return versions.filter((version): version is string => typeof version === 'string')
}
