/** The sample of the language's reference, with comments, as an author has it before them. */
export const SAMPLE = `{
  "gatehouse": 1,
  "name": "orders-api",
  "mode": "enforce", // or "observe"
  "transport": {
    "https": "require",
    "hsts": { "maxAge": "365d", "includeSubDomains": true },
    "hosts": ["api.example.com"],
    "trust": { "peers": ["loopback", "10.0.0.0/8"], "header": "x-forwarded-for" }
  },
  "cors": {
    "origins": ["https://shop.example.com", "https://*.partners.example.com"],
    "expose": ["RateLimit", "RateLimit-Policy"],
    "maxAge": "10m"
  },
  "authenticators": {
    "user": {
      "type": "jwt",
      "issuer": "https://id.example.com/",
      "audience": "orders-api",
      "algorithms": ["ES256", "RS256"],
      "keys": { "jwks": { "keys": [
        { "kty": "EC", "crv": "P-256", "kid": "1", "alg": "ES256",
          "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }
      ] } },
      "clockTolerance": "30s",
      "principal": { "id": "sub", "roles": "realm_access.roles", "scopes": "scope", "tenant": "org_id" }
    },
    "partner": {
      "type": "api-key",
      "in": "header", "name": "X-API-Key",
      "keys": { "secret": "file:partner-keys.json" }
    }
  },
  "roles": { "admin": ["clerk"], "clerk": ["customer"], "customer": [] },
  "limits": {
    "flood": { "limit": 1200, "window": "1m", "by": "client.ip", "reveal": false },
    "per-ip": { "limit": 300, "window": "1m", "by": "client.ip" },
    "per-user": { "limit": 100, "window": "1m", "by": "principal.id" },
    "exports": { "limit": 10, "window": "day", "by": "principal.tenant", "algorithm": "calendar", "zone": "UTC" },
    "guessing": { "limit": 5, "window": "15m", "by": ["client.ip", { "fact": "body.email", "as": "lowercase" }], "count": "failures" },
    "spray": { "limit": 30, "window": "15m", "by": "client.ip", "count": "failures" }
  },
  "schemas": {
    "NewOrder": {
      "type": "object", "required": ["sku", "quantity"], "additionalProperties": false,
      "properties": {
        "sku": { "type": "string", "pattern": "^[A-Z0-9-]{4,20}$" },
        "quantity": { "type": "integer", "minimum": 1, "maximum": 100 },
        "note": { "type": "string", "maxLength": 500 }
      }
    },
    "Order": {
      "type": "object",
      "properties": {
        "id": { "type": "string" }, "sku": { "type": "string" }, "quantity": { "type": "integer" }, "status": { "type": "string" },
        "customer": { "type": "object", "properties": { "name": { "type": "string" }, "email": { "type": "string" } } }
      }
    }
  },
  "redaction": { "key": { "secret": "env:REDACTION_KEY" } },
  "global": { "limits": ["flood"] },
  "errors": { "typeBase": "https://errors.example.com/", "correlation": "X-Request-Id" },
  "defaults": { "authenticate": ["user"], "limits": ["per-ip", "per-user"] },
  "groups": { "/admin": { "require": { "roles": ["admin"] } } },
  "routes": {
    "GET /health": { "authenticate": "none", "limits": ["per-ip"], "transport": "any" },
    "POST /login": {
      "authenticate": "none",
      "limits": ["inherited", "guessing", "spray"],
      "request": { "body": {
        "type": "object", "required": ["email", "password"],
        "properties": { "email": { "type": "string", "format": "email" }, "password": { "type": "string", "maxLength": 200 } }
      } }
    },
    "POST /orders": {
      "authorize": { "roles": ["customer"], "scopes": ["orders:write"] },
      "request": { "body": { "$ref": "#/schemas/NewOrder" }, "maxBody": "64kB" },
      "response": { "body": { "$ref": "#/schemas/Order" } }
    },
    "GET /tenants/:tenant/orders/:id": {
      "authenticate": ["user", "partner"],
      "authorize": [
        { "roles": ["clerk"] },
        { "roles": ["customer"], "when": "principal.tenant == params.tenant", "check": "ownsOrder" }
      ],
      "request": {
        "params": { "id": { "type": "string", "format": "uuid" } },
        "query": { "expand": { "type": "boolean", "default": false } }
      },
      "response": {
        "body": { "$ref": "#/schemas/Order" },
        "redact": { "/customer/email": { "action": "mask", "unless": { "roles": ["clerk"] } } }
      }
    },
    "GET /admin/audit": {
      "limits": ["inherited", "exports"],
      "response": {
        "body": {
          "type": "object",
          "properties": { "entries": { "type": "array", "items": { "type": "object", "properties": { "ip": { "type": "string" } } } } }
        },
        "redact": { "/entries/*/ip": "hash" }
      }
    }
  }
}
`;
