export { OutboundGuard, type Lookup, type OutboundPolicy } from './outbound-guard';
export { openOutbound, type Outbound, type OutboundOptions } from './outbound-fetch';
