import { getPlatform } from '@gantry/api'
import { type BoundEndpoint, bind } from '../access/index.ts'
import type { Engine } from '../engines/engine.ts'
import { runChecks } from './check-health.ts'
import { type HealthCheck, platformResource } from './platform.ts'

export interface PlatformDeps {
  readonly version: string
  readonly engine: Pick<Engine, 'name' | 'check'>
  readonly checks: readonly HealthCheck[]
  readonly domain: string
  readonly httpPort: number
  readonly startedAt: Date
}

export function platformRoutes({ engine, checks, ...facts }: PlatformDeps): readonly BoundEndpoint[] {
  return [
    bind(getPlatform, async ({ signal, baseUrl }) => {
      const [health, results] = await Promise.all([engine.check(signal), runChecks(checks, signal)])
      return platformResource({ ...facts, engine: engine.name, health, checks: results }, baseUrl)
    }),
  ]
}
