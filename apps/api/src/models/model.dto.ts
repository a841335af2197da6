import { ApiProperty } from '@nestjs/swagger';
import type { LlmPrice, ModelListing, VendorListing } from '@scorpio/llm';

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
  /** Input that was written to it for an hour; absent where that costs no other. */
  cacheWrite1h?: number;
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
  /** Who has it: a vendor's name, or that of an endpoint. */
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
  /** Whether it can be counted on to answer. False without a key, and while its endpoint does not answer. */
  available: boolean;
  /** Why not, and what to set; null where it is available. */
  reason: string | null;
  /** Whether messages that name no model get this one. */
  default: boolean;
  /** Its place, from 1, among the models that are asked when the one that was named cannot answer; null where it is none. */
  @ApiProperty({ type: 'integer', nullable: true })
  fallback: number | null;

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
      fallback: listing.fallback ?? null,
    });
  }
}

/** Who has models: a vendor, or an endpoint. */
export class VendorDto {
  /** The part of a model's id before the slash. */
  id: string;
  /** Whether it can be counted on to answer. */
  available: boolean;
  /** What is the matter, such as a key that is missing or a list of models that was not answered; null where nothing is. */
  reason: string | null;

  static from({ id, available, reason }: VendorListing): VendorDto {
    return Object.assign(new VendorDto(), { id, available, reason: reason ?? null });
  }
}

/** All models, in one page. */
export class ModelPageDto {
  items: ModelDto[];
  /** Every vendor and endpoint, also those that tell of no models: any name may be tried there. */
  vendors: VendorDto[];
  /** Always null: the list is whole. */
  nextCursor: string | null;

  static from(listings: ModelListing[], vendors: VendorListing[]): ModelPageDto {
    return Object.assign(new ModelPageDto(), {
      items: listings.map((listing) => ModelDto.from(listing)),
      vendors: vendors.map((vendor) => VendorDto.from(vendor)),
      nextCursor: null,
    });
  }
}
