import type { AppId, ConfigId, EnvironmentId, ReleaseId, TeamId } from '../kernel/ids.ts'
import { productionName } from './app.ts'

/** A place an app runs. */
export interface EnvironmentRow {
  readonly id: EnvironmentId
  readonly teamId: TeamId
  readonly appId: AppId
  readonly appName: string
  readonly name: string
  /** Instances by process type, as set; `instanceCount` has the defaults. */
  readonly scale: Readonly<Record<string, number>>
  readonly configId?: ConfigId
  readonly buildConfigId?: ConfigId
  readonly desiredReleaseId?: ReleaseId
  readonly liveReleaseId?: ReleaseId
  readonly lastReleaseVersion: number
  /** Instances of a lower generation are replaced. */
  readonly generation: number
  readonly rolloutError?: RolloutError
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** Why the desired release does not come up. */
export interface RolloutError {
  readonly releaseId: ReleaseId
  readonly code: string
  readonly message: string
}

export type EnvironmentStatus = 'empty' | 'stopped' | 'deploying' | 'running' | 'degraded'

/** `hello` for production, else `staging--hello`: what stands in host names and on command lines. */
export function environmentLabel(appName: string, environmentName: string): string {
  return environmentName === productionName ? appName : `${environmentName}--${appName}`
}

/** The two names in a label. No name has `--`, so a label can be only one thing. */
export function parseLabel(label: string): { readonly appName: string; readonly environmentName: string } {
  const at = label.indexOf('--')
  if (at < 0) return { appName: label, environmentName: productionName }
  return { appName: label.slice(at + 2), environmentName: label.slice(0, at) }
}

export function hostOf(label: string, domain: string): string {
  return `${label}.${domain}`
}

/** Where the environment answers: `http://hello.localhost:8080`. */
export function environmentUrl(label: string, site: { readonly domain: string; readonly httpPort: number }): string {
  const port = site.httpPort === 80 ? '' : `:${site.httpPort}`
  return `http://${hostOf(label, site.domain)}${port}`
}

/** The process type that is a task before the switch and never an instance. */
export const releaseProcessType = 'release'

/** How many instances of a process type there should be: `web` has one unless told otherwise, every other type none. */
export function instanceCount(scale: Readonly<Record<string, number>>, processType: string): number {
  if (processType === releaseProcessType) return 0
  // `constructor` is a name like any other, and every object has something of that name
  const count = Object.hasOwn(scale, processType) ? scale[processType] : undefined
  return count ?? (processType === 'web' ? 1 : 0)
}

/** The scale in force: every process type of the release, or what has been set when there is none. */
export function effectiveScale(
  scale: Readonly<Record<string, number>>,
  processTypes: readonly string[] | undefined,
): Readonly<Record<string, number>> {
  const names = processTypes?.filter((name) => name !== releaseProcessType) ?? ['web', ...Object.keys(scale)]
  return Object.fromEntries(names.map((name) => [name, instanceCount(scale, name)]))
}

export interface EnvironmentActivity {
  readonly hasRelease: boolean
  readonly isDeploying: boolean
  readonly scale: Readonly<Record<string, number>>
  /** Instances in service, by process type. */
  readonly inService: Readonly<Record<string, number>>
}

export function environmentStatus(activity: EnvironmentActivity): EnvironmentStatus {
  if (activity.isDeploying) return 'deploying'
  if (!activity.hasRelease) return 'empty'
  const wanted = Object.entries(activity.scale).filter(([, count]) => count > 0)
  if (wanted.length === 0) return 'stopped'
  const inService = new Map(Object.entries(activity.inService))
  return wanted.every(([name, count]) => (inService.get(name) ?? 0) >= count) ? 'running' : 'degraded'
}
