import { deployStatuses } from './deploy-state.ts'

const moments = ['before', 'after'] as const
/** What is done outside the database. */
const effects = ['build', 'release_phase', 'acknowledge', 'clean_up'] as const

/**
 * Every place of a journey at which a crash is tested: on both sides of the commit of each transition (`deploy.live.before`
 * is the moment before the commit that makes a deploy live), and around each effect outside the database.
 */
export const deliveryFailpoints = [
  ...deployStatuses.flatMap((status) => moments.map((moment) => `deploy.${status}.${moment}` as const)),
  ...effects.flatMap((effect) => moments.map((moment) => `deploy.${effect}.${moment}` as const)),
]

export type DeliveryFailpoint = (typeof deliveryFailpoints)[number]
