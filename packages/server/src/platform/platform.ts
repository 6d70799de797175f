import type { Platform, PlatformCheck } from '@gantry/api'
import type { EngineHealth, EngineName } from '../engines/engine.ts'
import { type MasterKeyFacts, masterKeyResource } from './key-rotation.ts'

/** A check of the platform's health: resolves with what was found; a rejection is a failed check. */
export interface HealthCheck {
  readonly name: string
  run(signal: AbortSignal): Promise<Omit<PlatformCheck, 'name'>>
}

export interface PlatformFacts {
  readonly version: string
  readonly engine: EngineName
  readonly health: EngineHealth
  readonly checks: readonly PlatformCheck[]
  readonly masterKey: MasterKeyFacts
  readonly domain: string
  readonly httpPort: number
  readonly startedAt: Date
}

/** The resource. Degraded is what a failed check or an engine that does not answer makes it. */
export function platformResource(facts: PlatformFacts, baseUrl: string): Platform {
  const { version, engine, health, domain, httpPort, startedAt } = facts
  const checks = [engineCheck(health), ...facts.checks]
  return {
    href: `${baseUrl}/v1/platform`,
    version,
    status: checks.some((check) => check.status === 'failed') ? 'degraded' : 'ok',
    engine,
    isolation_level: health.isolationLevel,
    isolation: health.isolation,
    missing: health.missing,
    checks,
    domain,
    http_port: httpPort,
    master_key: masterKeyResource(facts.masterKey),
    started_at: startedAt.toISOString(),
  }
}

function engineCheck({ ok, message }: EngineHealth): PlatformCheck {
  const otherwise = ok ? 'The engine answers.' : 'The engine does not answer.'
  return { name: 'engine', status: ok ? 'ok' : 'failed', message: message || otherwise }
}
