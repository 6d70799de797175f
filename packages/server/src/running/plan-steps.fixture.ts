import { systemScope } from '../access/index.ts'
import type { AppId, EnvironmentId, InstanceId, ReleaseId, TeamId } from '../kernel/ids.ts'
import type { ObservedInstance } from './instance.ts'
import { defaultPolicy, type Step } from './plan-steps.ts'
import type { ProcessType, Workload } from './workload.ts'

/** What the tests of the planner talk about. */

const team = 'tea-1' as TeamId
export const at = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms)

export function aWorkload(
  overrides: Partial<Workload> = {},
  types: Record<string, Partial<ProcessType>> = { web: {} },
): Workload {
  const processTypes = Object.fromEntries(
    Object.entries(types).map(([name, type]) => [name, { command: 'run', overlap: true, ...type }]),
  )
  return {
    scope: systemScope(team),
    appId: 'app-1' as AppId,
    appName: 'shop',
    environmentId: 'env-1' as EnvironmentId,
    environmentName: 'production',
    hosts: ['shop.localhost'],
    runUid: 200_000,
    generation: 1,
    scale: {},
    desired: {
      id: 'rel-2' as ReleaseId,
      version: 2,
      artifact: { kind: 'slug', path: '/a', links: {} },
      runEnv: {},
      processTypes,
    },
    liveReleaseId: 'rel-2' as ReleaseId,
    ...overrides,
  }
}

export function anInstance(overrides: Partial<Omit<ObservedInstance, 'id'>> & { id?: string } = {}): ObservedInstance {
  return {
    teamId: team,
    appId: 'app-1' as AppId,
    environmentId: 'env-1' as EnvironmentId,
    releaseId: 'rel-2' as ReleaseId,
    processType: 'web',
    slot: 0,
    generation: 1,
    status: 'healthy',
    presence: 'running',
    crashes: 0,
    failedChecks: overrides.status === 'unhealthy' ? defaultPolicy.failuresAllowed : 0,
    wasProbed: true,
    createdAt: at(0),
    healthyAt: at(50),
    ...overrides,
    id: (overrides.id ?? 'ins-1') as InstanceId,
  }
}

export const old = { id: 'ins-old', releaseId: 'rel-1' as ReleaseId }
export const ids = (...names: string[]) => names as InstanceId[]
export const kinds = (steps: readonly Step[]) => steps.map((step) => step.kind)
export const rollout = { liveReleaseId: 'rel-1' as ReleaseId }
