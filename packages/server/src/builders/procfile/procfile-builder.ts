import type { Builder } from '../builder.ts'

/** A tree with a Procfile and no language that another builder knows: its lines are run as they are. */
export const procfileBuilder: Builder = {
  name: 'procfile',
  looksFor: 'Procfile (process types that run as they are)',
  plan: async (_tree, context) => {
    if (!context.procfile) return undefined
    return {
      builder: 'procfile',
      because: ['Procfile found and no language recognised: its lines run as they are.'],
      warnings: [],
      toolchains: [],
      layers: [],
      steps: [],
      processTypes: context.procfile,
      runEnv: {},
      pathFolders: [],
    }
  },
}
