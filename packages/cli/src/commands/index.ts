import type { CommandDefinition, CommandModule, Run } from '../command.ts'
import * as apps from './apps/definitions.ts'
import * as builds from './builds/definitions.ts'
import * as config from './config/definitions.ts'
import * as deploys from './deploys/definitions.ts'
import * as envs from './envs/definitions.ts'
import * as members from './members/definitions.ts'
import * as platform from './platform/definitions.ts'
import * as releases from './releases/definitions.ts'
import * as running from './running/definitions.ts'
import * as tokens from './tokens/definitions.ts'

export interface CommandEntry {
  readonly definition: CommandDefinition
  /** Loads the command's own code, and with it the parts that only it needs. */
  readonly load: () => Promise<CommandModule>
}

export interface CommandSection {
  readonly title: string
  readonly commands: readonly CommandEntry[]
}

/** Every command of `gantry`, as help lists them. */
export const sections: readonly CommandSection[] = [
  {
    title: 'Apps',
    commands: [
      entry(apps.createApp, () => import('./apps/create.ts')),
      entry(apps.listApps, () => import('./apps/list.ts')),
      entry(apps.showApp, () => import('./apps/show.ts')),
      entry(apps.connectApp, () => import('./apps/connect.ts')),
      entry(apps.deleteApp, () => import('./apps/delete.ts')),
      entry(envs.listEnvs, () => import('./envs/list.ts')),
      entry(envs.createEnv, () => import('./envs/create.ts')),
      entry(envs.deleteEnv, () => import('./envs/delete.ts')),
      entry(config.setConfig, () => import('./config/set.ts')),
      entry(config.getConfig, () => import('./config/get.ts')),
      entry(config.unsetConfig, () => import('./config/unset.ts')),
      entry(config.listConfig, () => import('./config/list.ts')),
    ],
  },
  {
    title: 'Deploys',
    commands: [
      entry(deploys.deploy, () => import('./deploys/deploy.ts')),
      entry(deploys.rollback, () => import('./deploys/rollback.ts')),
      entry(deploys.listDeploys, () => import('./deploys/list.ts')),
      entry(deploys.showDeploy, () => import('./deploys/show.ts')),
      entry(deploys.deployLogs, () => import('./deploys/logs.ts')),
      entry(deploys.watchDeploy, () => import('./deploys/watch.ts')),
      entry(deploys.cancelDeploy, () => import('./deploys/cancel.ts')),
      entry(deploys.retryDeploy, () => import('./deploys/retry.ts')),
      entry(releases.listReleases, () => import('./releases/list.ts')),
      entry(releases.showRelease, () => import('./releases/show.ts')),
      entry(builds.listBuilds, () => import('./builds/list.ts')),
      entry(builds.buildLogs, () => import('./builds/logs.ts')),
    ],
  },
  {
    title: 'What runs',
    commands: [
      entry(running.ps, () => import('./running/ps.ts')),
      entry(running.logs, () => import('./running/logs.ts')),
      entry(running.scale, () => import('./running/scale.ts')),
      entry(platform.restart, () => import('./platform/restart.ts')),
      entry(running.open, () => import('./running/open.ts')),
    ],
  },
  {
    title: 'People',
    commands: [
      entry(members.listMembers, () => import('./members/list.ts')),
      entry(members.inviteMember, () => import('./members/invite.ts')),
      entry(members.setRole, () => import('./members/role.ts')),
      entry(members.removeMember, () => import('./members/remove.ts')),
      entry(members.join, () => import('./members/join.ts')),
      entry(tokens.createToken, () => import('./tokens/create.ts')),
      entry(tokens.listTokens, () => import('./tokens/list.ts')),
      entry(tokens.revokeToken, () => import('./tokens/revoke.ts')),
      entry(members.audit, () => import('./members/audit.ts')),
    ],
  },
  {
    title: 'The platform',
    commands: [
      entry(platform.up, () => import('./platform/up.ts')),
      entry(platform.down, () => import('./platform/down.ts')),
      entry(platform.status, () => import('./platform/status.ts')),
      entry(platform.doctor, () => import('./platform/doctor.ts')),
      entry(platform.rotateKey, () => import('./platform/rotate-key.ts')),
      entry(platform.installService, () => import('./platform/install-service.ts')),
      entry(platform.login, () => import('./platform/login.ts')),
      entry(platform.logout, () => import('./platform/logout.ts')),
    ],
  },
]

export const commands: readonly CommandEntry[] = sections.flatMap((section) => section.commands)

function entry(definition: CommandDefinition, load: () => Promise<{ readonly run: Run }>): CommandEntry {
  return { definition, load: async () => ({ definition, run: (await load()).run }) }
}
