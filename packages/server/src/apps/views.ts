import type { App, Config, Environment } from '@gantry/api'
import { withEntityTag } from '../kernel/entity-tag.ts'
import type { DeployId } from '../kernel/ids.ts'
import type { AppRow } from './app.ts'
import type { Site } from './apps-deps.ts'
import {
  type EnvironmentRow,
  effectiveScale,
  environmentLabel,
  environmentStatus,
  environmentUrl,
} from './environment.ts'
import type { EnvironmentFacts } from './environment-facts-store.ts'
import type { CurrentConfig } from './set-config.ts'

/** How the room's things look on the wire. `baseUrl` has no slash at the end. */

export function appView(app: AppRow, baseUrl: string): App {
  return withEntityTag({
    ...appReference(app, baseUrl),
    git_url: `${baseUrl}/git/${app.name}.git`,
    branch: app.branch,
    root: app.root,
    created_at: app.createdAt.toISOString(),
    updated_at: app.updatedAt.toISOString(),
  })
}

export function appReference(app: { readonly id: string; readonly name: string }, baseUrl: string) {
  return { id: app.id, name: app.name, href: `${baseUrl}/v1/apps/${app.id}` }
}

export function environmentReference(environment: { readonly id: string; readonly name: string }, baseUrl: string) {
  return { id: environment.id, name: environment.name, href: `${baseUrl}/v1/environments/${environment.id}` }
}

export function releaseReference(release: { readonly id: string; readonly version: number }, baseUrl: string) {
  return { id: release.id, name: `v${release.version}`, href: `${baseUrl}/v1/releases/${release.id}` }
}

export interface ViewContext {
  readonly baseUrl: string
  readonly site: Site
}

export function environmentView(
  environment: EnvironmentRow,
  facts: EnvironmentFacts | undefined,
  { baseUrl, site }: ViewContext,
): Environment {
  const label = environmentLabel(environment.appName, environment.name)
  const scale = effectiveScale(environment.scale, facts?.processTypes)
  const reference = (id: string | undefined, version: number | undefined) =>
    id !== undefined && version !== undefined ? releaseReference({ id, version }, baseUrl) : undefined
  const desired = reference(environment.desiredReleaseId, facts?.desiredVersion)
  const live = reference(environment.liveReleaseId, facts?.liveVersion)
  return withEntityTag({
    ...environmentReference(environment, baseUrl),
    label,
    app: appReference({ id: environment.appId, name: environment.appName }, baseUrl),
    url: environmentUrl(label, site),
    status: environmentStatus({
      hasRelease: live !== undefined || desired !== undefined,
      isDeploying: facts?.isDeploying ?? false,
      scale,
      inService: facts?.inService ?? {},
    }),
    scale,
    ...(desired && { desired_release: desired }),
    ...(live && { live_release: live }),
    created_at: environment.createdAt.toISOString(),
    updated_at: environment.updatedAt.toISOString(),
  })
}

/** `deployId`: the deploy that the change began. It is no part of the tag: reading again gives the same config. */
export function configView(config: CurrentConfig, baseUrl: string, deployId?: DeployId): Config {
  const environment = environmentReference(config.environment, baseUrl)
  const view = withEntityTag({
    href: `${environment.href}/${config.kind === 'run' ? 'config' : 'build_config'}`,
    environment,
    kind: config.kind,
    version: config.row?.version ?? 0,
    variables: config.variables,
    ...(config.row && { updated_at: config.row.createdAt.toISOString() }),
  })
  return deployId ? { ...view, deploy: { id: deployId, href: `${baseUrl}/v1/deploys/${deployId}` } } : view
}
