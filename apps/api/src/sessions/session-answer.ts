/** The session as other rooms answer with it. */
export { SessionDto } from './session.dto';
