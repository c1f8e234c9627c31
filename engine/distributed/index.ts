export { formatAddress, parseAddress, type RankAddress } from './address.ts';
export { type CollectiveOptions, type ConnectedCollective, connectCollective } from './collective.ts';
export { singleProcessCollective } from './singleProcess.ts';
