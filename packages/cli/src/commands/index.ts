import type { CommandDefinition, CommandModule, Run } from '../command.ts'
import * as apps from './apps/definitions.ts'

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
]

function entry(definition: CommandDefinition, load: () => Promise<{ readonly run: Run }>): CommandEntry {
  return { definition, load: async () => ({ definition, run: (await load()).run }) }
}
