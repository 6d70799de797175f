const moments = ['before', 'after'] as const

/** What is written down, and what is done outside the database. */
const steps = [
  'instance.intent',
  'instance.start',
  'instance.stop',
  'instance.end',
  'route',
  'rollout_failure',
] as const

/**
 * Every place of the running loop at which a crash is tested: on both sides of the commit of an instance's intent and end,
 * of a route and of a failed rollout, and around what the engine is asked to start and to stop.
 */
export const runningFailpoints = steps.flatMap((step) => moments.map((moment) => `${step}.${moment}` as const))

export type RunningFailpoint = (typeof runningFailpoints)[number]
