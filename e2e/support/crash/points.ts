/** What is crashed where: every failpoint of the platform, in every journey that passes it. */
import { buildFailpoints } from '../../../packages/server/src/builds/failpoints.ts'
import { deliveryFailpoints } from '../../../packages/server/src/delivery/failpoints.ts'
import { runningFailpoints } from '../../../packages/server/src/running/failpoints.ts'
import { sourceFailpoints } from '../../../packages/server/src/source/source.ts'

export const victims = ['control-plane', 'router', 'supervisor', 'postgres'] as const
export type Victim = (typeof victims)[number]

export const journeyNames = [
  'push',
  'build',
  'supersede',
  'exit',
  'broken build',
  'cancel',
  'rollback',
  'config',
] as const
export type JourneyName = (typeof journeyNames)[number]

export interface Point {
  readonly journey: JourneyName
  readonly failpoint: string
  readonly victim: Victim
}

/** Nothing undoes a release by itself yet. */
const unreachable = (name: string) => name.startsWith('deploy.rolled_back')

export const allFailpoints: readonly string[] = [
  ...sourceFailpoints,
  ...buildFailpoints,
  ...deliveryFailpoints,
  ...runningFailpoints,
].filter((name) => !unreachable(name))

/** What a journey passes besides its own: the first journey that passes a failpoint has it with every victim. */
const failpointsOf: Readonly<Record<Exclude<JourneyName, 'push'>, readonly string[]>> = {
  build: ['build.folder', 'build.step', 'build.artifact.after'],
  supersede: ['deploy.superseded.before', 'deploy.superseded.after', 'deploy.build.after', 'deploy.clean_up.after'],
  exit: [
    'rollout_failure.before',
    'rollout_failure.after',
    'push.reverting',
    'push.reverted',
    'deploy.failed.before',
    'deploy.failed.after',
    'instance.start.after',
    'instance.end.after',
  ],
  'broken build': ['deploy.failed.after', 'deploy.build.after', 'push.reverted'],
  cancel: ['deploy.cancelled.before', 'deploy.cancelled.after', 'deploy.build.after', 'deploy.clean_up.before'],
  rollback: [
    'deploy.queued.after',
    'deploy.releasing.after',
    'deploy.rolling_out.after',
    'route.before',
    'route.after',
  ],
  config: [
    'deploy.queued.before',
    'deploy.waiting.after',
    'deploy.rolling_out.before',
    'route.after',
    'deploy.live.before',
  ],
}

/**
 * Every failpoint with every victim in the first journey that passes it, and with the control plane in the others: the state
 * of what differs there is the control plane's alone. Victims take turns, so that each has served for a while when it dies.
 */
export function everyPoint(): readonly Point[] {
  const elsewhere = new Set(Object.values(failpointsOf).flat())
  const own = allFailpoints.filter((name) => !elsewhere.has(name) || isOfEveryPush(name))
  const passes = journeyNames.flatMap((journey) =>
    (journey === 'push' ? own : failpointsOf[journey]).map((failpoint) => ({ journey, failpoint })),
  )
  const seen = new Set<string>()
  const places = passes.map((place) => {
    const isFirst = !seen.has(place.failpoint)
    seen.add(place.failpoint)
    return { ...place, isFirst }
  })
  return places.flatMap(({ isFirst, ...place }) =>
    victims.flatMap((victim) => (isFirst || victim === 'control-plane' ? [{ ...place, victim }] : [])),
  )
}

function isOfEveryPush(name: string): boolean {
  return !/^(build\.step|push\.revert|rollout_failure|deploy\.(failed|cancelled|superseded))/.test(name)
}

/** So many points, the same ones for the same seed: spread over journeys, failpoints and victims. */
export function choosePoints(all: readonly Point[], count: number, seed: number): readonly Point[] {
  if (count >= all.length) return all
  const strideLength = all.length / count
  return Array.from({ length: count }, (_, n) => {
    const at =
      (Math.floor(n * strideLength) + (hash(`${seed} ${n}`) % Math.max(1, Math.floor(strideLength)))) % all.length
    return all[at] as Point
  })
}

/** FNV-1a. */
function hash(text: string): number {
  let state = 0x811c9dc5
  for (const character of text) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193) >>> 0
  return state
}
