import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Migration, readMigrations } from './db/migrate.ts'
import { openReferenceScript, preloadHttp, type ReferenceScript } from './http/index.ts'
import { type OwnToolchain, ownToolchain } from './kernel/own-toolchain.ts'

/** What is read of Gantry's installation and of whoever started it, before root's rights end: afterwards it may be out of sight. */
export interface Installation {
  readonly version: string
  readonly toolchainOf: (home: string) => OwnToolchain
  readonly migrations: readonly Migration[]
  readonly referenceScript: ReferenceScript
  /** Texts of npm settings that say how this machine reaches its registry. */
  readonly npmrcs: readonly string[]
}

export async function readInstallation(): Promise<Installation> {
  await preloadHttp()
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  const toolchain = ownToolchain('/')
  return {
    version: manifest.version,
    toolchainOf: (home) => below(home, toolchain),
    migrations: await readMigrations(),
    referenceScript: await openReferenceScript(),
    npmrcs: [join(homedir(), '.npmrc')].flatMap(readIfThere),
  }
}

function below(home: string, toolchain: OwnToolchain): OwnToolchain {
  const { nodeFolder, binFolder, npmFolder, npmBinFolder } = toolchain
  return {
    ...toolchain,
    nodeFolder: join(home, nodeFolder),
    binFolder: join(home, binFolder),
    npmFolder: join(home, npmFolder),
    npmBinFolder: join(home, npmBinFolder),
  }
}

function readIfThere(path: string): string[] {
  try {
    return [readFileSync(path, 'utf8')]
  } catch {
    return []
  }
}
