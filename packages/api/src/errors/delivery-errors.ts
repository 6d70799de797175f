import { showing } from './catalogue-entry.ts'

/** Why a release did not go live, or an instance does not run. The old release goes on serving in all of these. */
export const deliveryErrors = showing(['deploy', 'git'], {
  release_phase_failed: {
    status: 409,
    title: 'The release phase failed',
    description:
      'The command of the process type `release` ended with an error. Its output is in the log of the deploy.',
  },
  release_phase_timed_out: {
    status: 409,
    title: 'The release phase took too long',
    description:
      'The command of the process type `release` was stopped at its time limit. Look in the log of the deploy.',
  },
  release_phase_interrupted: {
    status: 409,
    title: 'The release phase was interrupted',
    description:
      'The machine or Gantry stopped while the release phase ran. It is not run twice without being asked: check what it did (a migration, say), then retry the deploy.',
  },
  health_check_timeout: {
    status: 409,
    title: 'The app did not become healthy in time',
    description:
      'No process of the app listened on `PORT`, or it did not answer, within the boot limit. The message has the last lines of its output.',
  },
  health_check_failed: {
    status: 409,
    title: 'The app answered its health check with an error',
    description:
      'The app listens but answers with a server error. The message has the status and the last lines of its output.',
  },
  wrong_port: {
    status: 409,
    title: 'The app listens on the wrong port',
    description:
      'The app listens, but not on the port in the environment variable `PORT`. The message says on which. Use `process.env.PORT`.',
  },
  wrong_interface: {
    status: 409,
    title: 'The app listens on the wrong interface',
    description:
      'The app listens on `PORT`, but on an address that the router does not reach. Listen on `0.0.0.0`, `::`, or leave the host out.',
  },
  instance_exited: {
    status: 409,
    title: 'The app ended at once',
    description:
      'The process ended before it was healthy. The message has its exit code and the last lines of its output.',
  },
  instance_crashed: {
    status: 409,
    title: 'The app keeps crashing',
    description:
      'The process ends again and again; Gantry starts it again after ever longer pauses, from 1 s to 5 min. `gantry logs` shows why.',
  },
  instance_start_failed: {
    status: 409,
    title: 'The app could not be started',
    description: 'The engine could not start the process. The message says why.',
  },
  out_of_memory: {
    status: 409,
    title: 'The app ran out of memory',
    description: 'The process was ended because it used more memory than it may.',
  },
  no_port_free: {
    status: 409,
    title: 'No port is free',
    description: 'All ports from 20000 to 29999 are in use or in quarantine. Stop instances that are not needed.',
  },
  artifact_missing: {
    status: 409,
    title: 'The artifact is gone',
    description: 'The files of the release are no longer there. Deploy the commit again.',
  },
  artifact_unsupported: {
    status: 409,
    title: 'The engine cannot run this artifact',
    description:
      'The artifact is of a kind that the engine does not take, or its specification was refused. The message says why.',
  },
  superseded: {
    status: 409,
    title: 'A newer deploy took its place',
    description: 'A newer deploy of the same environment began before this one had switched. Look at that one.',
  },
  cancelled: {
    status: 409,
    title: 'The deploy was cancelled',
    description: 'Somebody cancelled it. The release that was live before goes on.',
  },
  interrupted: {
    status: 409,
    title: 'The deploy was interrupted',
    description:
      'Gantry stopped at a point from which this deploy could not be continued. Retry it; the running release was not touched.',
  },
})
