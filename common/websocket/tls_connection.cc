#include <boost/asio/ip/address.hpp>

#include "common/websocket/beast_connection.h"

namespace voicebridge {
namespace {

using TlsConnection = BeastConnection<net::ssl::stream<TcpSocket>>;

// OpenSSL's own check, rather than Asio's callback, because its errors say that the name is wrong.
void ExpectHost(SSL* ssl, const std::string& host) {
  boost::system::error_code not_an_address;
  net::ip::make_address(host, not_an_address);
  X509_VERIFY_PARAM* const parameters = SSL_get0_param(ssl);
  if (!not_an_address) {
    X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str());
    return;
  }
  SSL_set_tlsext_host_name(ssl, host.c_str());  // Server name indication is for names only.
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
}

}  // namespace

std::unique_ptr<UpgradableConnection> MakeTlsServerConnection(TcpSocket socket,
                                                              net::ssl::context& context,
                                                              const ConnectionOptions& options) {
  return std::make_unique<TlsConnection>(options, std::move(socket), context);
}

std::unique_ptr<UpgradableConnection> MakeTlsClientConnection(TcpSocket socket,
                                                              net::ssl::context& context,
                                                              const std::string& host,
                                                              const ConnectionOptions& options) {
  auto connection = std::make_unique<TlsConnection>(options, std::move(socket), context);
  SSL* const ssl = connection->transport().native_handle();
  SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  ExpectHost(ssl, host);
  return connection;
}

}  // namespace voicebridge
