/**
 * Every place of a build at which a crash is tested: a folder that is claimed and not yet made, a step that has ended, an
 * artifact that lies there before and after the commit that makes it one.
 */
export const buildFailpoints = ['build.folder', 'build.step', 'build.artifact.before', 'build.artifact.after'] as const

export type BuildFailpoint = (typeof buildFailpoints)[number]
