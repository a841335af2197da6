export { Bus, type Topic } from './bus';
export { BusModule } from './bus.module';
