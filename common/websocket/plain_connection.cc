#include "common/websocket/beast_connection.h"

namespace voicebridge {

std::unique_ptr<UpgradableConnection> MakePlainConnection(TcpSocket socket,
                                                          const ConnectionOptions& options) {
  return std::make_unique<BeastConnection<TcpSocket>>(options, std::move(socket));
}

}  // namespace voicebridge
