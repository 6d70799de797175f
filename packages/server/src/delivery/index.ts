export { createDelivery, type Delivery } from './delivery.ts'
export {
  type DeliveryDeps,
  type DeliveryLimits,
  type DeploySources,
  defaultDeliveryLimits,
  type Rollouts,
} from './delivery-deps.ts'
export type { DeployRow } from './deploy.ts'
export { type DeployStatus, deployTransitions } from './deploy-state.ts'
export { type DeliveryFailpoint, deliveryFailpoints } from './failpoints.ts'
export type { FollowedDeploy } from './follow-deploys.ts'
