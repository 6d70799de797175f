import { getPlatform, type Platform, rotatePlatformKey } from '@gantry/api'
import { type BoundEndpoint, bind } from '../access/index.ts'
import type { Engine } from '../engines/engine.ts'
import { runChecks } from './check-health.ts'
import { type HealthCheck, platformResource } from './platform.ts'
import type { KeyRotations } from './rotate-key.ts'

export interface PlatformDeps {
  readonly version: string
  readonly engine: Pick<Engine, 'name' | 'check'>
  readonly checks: readonly HealthCheck[]
  readonly keys: Pick<KeyRotations, 'request' | 'facts'>
  readonly domain: string
  readonly httpPort: number
  readonly startedAt: Date
}

export function platformRoutes({ engine, checks, keys, ...facts }: PlatformDeps): readonly BoundEndpoint[] {
  const resource = async ({ signal, baseUrl }: { signal: AbortSignal; baseUrl: string }): Promise<Platform> => {
    const [health, results, masterKey] = await Promise.all([
      engine.check(signal),
      runChecks(checks, signal),
      keys.facts(),
    ])
    return platformResource({ ...facts, engine: engine.name, health, checks: results, masterKey }, baseUrl)
  }
  return [
    bind(getPlatform, resource),
    bind(rotatePlatformKey, async (call) => {
      await keys.request(call.principal.personName)
      return await resource(call)
    }),
  ]
}
