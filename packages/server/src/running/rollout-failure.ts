import type { Listener } from '../engines/engine.ts'
import { type Instance, instanceName } from './instance.ts'
import type { RolloutFailure } from './workload.ts'

const linesShown = 10

/** Node.js's own part of a stack, which is longer than what it says went wrong. */
const noise = /^\s*$|^\s+at .*\(?node:[\w/]+(?::\d+)*\)?$/

export interface FailureFacts {
  readonly instance: Instance
  readonly cause: 'exited' | 'not_ready'
  readonly listeners: readonly Listener[]
  /** What the last check found, for one that listens and is not well. */
  readonly lastCheck: string | undefined
  readonly bootLimitSeconds: number
  /** More than are shown. */
  readonly lastLines: readonly string[]
}

/** Why a release does not come up, for the person who pushed it: what happened, where, what to do, and its last output. */
export function describeRolloutFailure(facts: FailureFacts): RolloutFailure {
  const { code, sentence } = classify(facts)
  const lines = facts.lastLines.filter((line) => !noise.test(line)).slice(-linesShown)
  const output =
    lines.length > 0 ? ` Its last output:\n${lines.map((line) => `  ${line}`).join('\n')}` : ' It wrote no output.'
  return { releaseId: facts.instance.releaseId, code, message: sentence + output }
}

function classify(facts: FailureFacts): Pick<RolloutFailure, 'code'> & { sentence: string } {
  const { instance, listeners } = facts
  const name = instanceName(instance)
  if (facts.cause === 'exited') {
    return {
      code: 'instance_exited',
      sentence: `${name} ended before it was healthy: ${instance.endReason ?? 'unknown reason'}.`,
    }
  }
  const limit = `within ${facts.bootLimitSeconds} s`
  const port = instance.address?.kind === 'tcp' ? instance.address.port : undefined
  if (port === undefined) return { code: 'health_check_timeout', sentence: `${name} was not ready ${limit}.` }
  const onPort = listeners.filter((listener) => listener.port === port)
  if (onPort.length > 0 && !onPort.some(isReachable)) {
    const sentence = `${name} listens on ${onPort[0]?.host}:${port}, where the router cannot reach it. Listen on 0.0.0.0, :: or localhost.`
    return { code: 'wrong_interface', sentence }
  }
  if (onPort.length === 0 && listeners.length > 0) {
    const others = [...new Set(listeners.map((listener) => listener.port))].join(', ')
    const sentence = `${name} listens on port ${others} and not on ${port}, ${limit}. Listen on the port in the environment variable PORT.`
    return { code: 'wrong_port', sentence }
  }
  if (onPort.length === 0 && facts.lastCheck !== undefined) {
    return { code: 'health_check_timeout', sentence: `${name} was not healthy ${limit}: ${facts.lastCheck}.` }
  }
  if (onPort.length === 0) {
    const sentence = `${name} did not listen on port ${port} ${limit}. Listen on the port in the environment variable PORT.`
    return { code: 'health_check_timeout', sentence }
  }
  return {
    code: 'health_check_timeout',
    sentence: `${name} was not healthy ${limit}: ${facts.lastCheck ?? 'GET / was not answered'}.`,
  }
}

function isReachable(listener: Listener): boolean {
  return ['0.0.0.0', '::', '::1', '127.0.0.1', '::ffff:127.0.0.1'].includes(listener.host)
}
