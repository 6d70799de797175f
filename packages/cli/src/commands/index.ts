import type { CommandDefinition, CommandModule, Run } from '../command.ts'
import * as apps from './apps/definitions.ts'
import * as config from './config/definitions.ts'
import * as deploys from './deploys/definitions.ts'
import * as platform from './platform/definitions.ts'

export interface CommandEntry {
  readonly definition: CommandDefinition
  /** Loads the command's own code, and with it the parts that only it needs. */
  readonly load: () => Promise<CommandModule>
}

/** Every command of `gantry`, in the order in which help lists them. */
export const commands: readonly CommandEntry[] = [
  entry(apps.createApp, () => import('./apps/create.ts')),
  entry(apps.listApps, () => import('./apps/list.ts')),
  entry(apps.showApp, () => import('./apps/show.ts')),
  entry(apps.deleteApp, () => import('./apps/delete.ts')),
  entry(deploys.deploy, () => import('./deploys/deploy.ts')),
  entry(deploys.rollback, () => import('./deploys/rollback.ts')),
  entry(deploys.listDeploys, () => import('./deploys/list.ts')),
  entry(deploys.showDeploy, () => import('./deploys/show.ts')),
  entry(deploys.deployLogs, () => import('./deploys/logs.ts')),
  entry(deploys.watchDeploy, () => import('./deploys/watch.ts')),
  entry(deploys.cancelDeploy, () => import('./deploys/cancel.ts')),
  entry(deploys.retryDeploy, () => import('./deploys/retry.ts')),
  entry(config.setConfig, () => import('./config/set.ts')),
  entry(config.getConfig, () => import('./config/get.ts')),
  entry(config.unsetConfig, () => import('./config/unset.ts')),
  entry(config.listConfig, () => import('./config/list.ts')),
  entry(platform.up, () => import('./platform/up.ts')),
  entry(platform.down, () => import('./platform/down.ts')),
  entry(platform.restart, () => import('./platform/restart.ts')),
  entry(platform.installService, () => import('./platform/install-service.ts')),
  entry(platform.status, () => import('./platform/status.ts')),
  entry(platform.doctor, () => import('./platform/doctor.ts')),
  entry(platform.login, () => import('./platform/login.ts')),
]

function entry(definition: CommandDefinition, load: () => Promise<{ readonly run: Run }>): CommandEntry {
  return { definition, load: async () => ({ definition, run: (await load()).run }) }
}
