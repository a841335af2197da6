import { ApiProperty } from '@nestjs/swagger';
import type { LlmPrice, ModelListing } from '@scorpio/llm';

/** What a model takes and gives. Endpoints seldom say: there nothing is ruled out, and the endpoint refuses what it cannot do. */
export class ModelCapabilitiesDto {
  /** Images in messages. */
  images: boolean;
  /** PDFs and other files in messages. */
  documents: boolean;
  reasoning: boolean;
  tools: boolean;
  /** Answers that fit a JSON Schema. */
  structuredOutput: boolean;
}

/** Factors for the whole of a long call. */
export class LongPriceDto {
  /** Input tokens beyond which they hold. */
  @ApiProperty({ type: 'integer' })
  above: number;
  /** Of input and cache. */
  input: number;
  output: number;
}

/** US dollars per million tokens. */
export class ModelPriceDto {
  input: number;
  output: number;
  /** Input that was read from the vendor's cache. */
  cacheRead: number;
  /** Input that was written to it. */
  cacheWrite: number;
  /** Null where the length makes no difference. */
  long: LongPriceDto | null;

  static from(price: LlmPrice): ModelPriceDto {
    return Object.assign(new ModelPriceDto(), { ...price, long: price.long ?? null });
  }
}

/** A model that messages can name. */
export class ModelDto {
  /** `vendor/model`, as messages name it. */
  id: string;
  /** For people. */
  name: string;
  /** `openai`, `demo`, or the name of an endpoint. */
  vendor: string;
  capabilities: ModelCapabilitiesDto;
  /** Tokens of a whole call; null where the vendor does not say. */
  @ApiProperty({ type: 'integer', nullable: true })
  contextWindow: number | null;
  /** Tokens of an answer; null where the vendor does not say. */
  @ApiProperty({ type: 'integer', nullable: true })
  maxOutputTokens: number | null;
  /** Null where it is not known. */
  price: ModelPriceDto | null;
  /** Whether it can be asked. */
  available: boolean;
  /** Why it cannot be asked, and what to set. */
  reason: string | null;
  /** Whether messages that name no model get this one. */
  default: boolean;

  static from(listing: ModelListing): ModelDto {
    const { model } = listing;
    return Object.assign(new ModelDto(), {
      id: listing.ref,
      name: model.name,
      vendor: listing.vendor,
      capabilities: model.capabilities,
      contextWindow: model.contextWindow ?? null,
      maxOutputTokens: model.maxOutputTokens ?? null,
      price: model.price ? ModelPriceDto.from(model.price) : null,
      available: listing.available,
      reason: listing.reason ?? null,
      default: listing.isDefault,
    });
  }
}

/** All models, in one page. */
export class ModelPageDto {
  items: ModelDto[];
  /** Always null: the list is whole. */
  nextCursor: string | null;

  static from(listings: ModelListing[]): ModelPageDto {
    return Object.assign(new ModelPageDto(), {
      items: listings.map((listing) => ModelDto.from(listing)),
      nextCursor: null,
    });
  }
}
