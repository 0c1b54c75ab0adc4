// Messages in both directions, whole and in pieces, and what breaks the protocol.
#include "common/core/limits.h"
#include "tests/component/websocket/websocket_fixture.h"

namespace voicebridge::test {
namespace {

class Messages : public WebSocketTest {
 protected:
  void SetUp() override { StartServer(); }

  Awaitable<void> EchoTextAndBinary() {
    const auto connection = co_await Connect("/echo");
    EXPECT_TRUE((co_await connection->WriteText("gr\u00fc\u00df dich", In(seconds(20)))).ok());
    Incoming incoming = co_await connection->ReadUntilStopped();
    EXPECT_EQ(incoming.kind, Incoming::Kind::kText);
    EXPECT_EQ(incoming.payload, "gr\u00fc\u00df dich");
    const std::string bytes("\x00\xff\x80", 3);
    EXPECT_TRUE((co_await connection->WriteBinary(bytes, In(seconds(20)))).ok());
    incoming = co_await connection->ReadUntilStopped();
    EXPECT_EQ(incoming.kind, Incoming::Kind::kBinary);
    EXPECT_EQ(incoming.payload, bytes);
    EXPECT_TRUE((co_await connection->WriteText("", In(seconds(20)))).ok());
    incoming = co_await connection->ReadUntilStopped();
    EXPECT_EQ(incoming.kind, Incoming::Kind::kText);
    EXPECT_EQ(incoming.payload, "");
  }

  Awaitable<void> EchoOfSize(std::size_t size) {
    const auto connection = co_await Connect("/echo");
    std::string message(size, 'a');
    for (std::size_t i = 0; i < size; i += 1000) {
      message[i] = static_cast<char>('a' + (i / 1000) % 26);
    }
    EXPECT_TRUE((co_await connection->WriteText(message, In(seconds(20)))).ok());
    const Incoming incoming = co_await connection->ReadUntilStopped();
    EXPECT_TRUE(incoming.payload == message) << incoming.payload.size();
  }

  Awaitable<void> SendTooLarge() {
    const auto connection = co_await Connect("/echo");
    const std::string message(server_options.message_bytes_max + 1, 'a');
    // The peer stops reading once it has seen the length; both outcomes are right.
    [[maybe_unused]] const absl::Status either =
        co_await connection->WriteText(message, In(seconds(20)));
    const Incoming incoming = co_await connection->ReadUntilStopped();
    EXPECT_EQ(incoming.kind, Incoming::Kind::kClosed);
    EXPECT_EQ(incoming.close_code, 1009);
  }

  // What the server says at last to a peer that sent this.
  Awaitable<void> ExpectClose(std::string bytes, std::uint16_t code) {
    RawPeer peer = co_await UpgradeRaw(address, "/echo");
    co_await peer.Send(std::move(bytes));
    FrameOptions unmasked;
    unmasked.masked = false;
    const std::string answer = co_await peer.Receive(4);
    EXPECT_EQ(answer, CloseFrame(code, "", unmasked)) << "expected " << code;
    EXPECT_EQ(co_await peer.ReceiveToEnd(), "");
    peer.socket.close();
    const auto has_ended = [this] { return !service.ended.empty(); };
    co_await Poll(has_ended);
    if (service.ended.empty()) {
      co_return;  // The test's time is over.
    }
    EXPECT_EQ(service.ended.front().close_code, code);
  }

  Awaitable<void> SendFragments() {
    RawPeer peer = co_await UpgradeRaw(address, "/echo");
    FrameOptions more;
    more.final = false;
    FrameOptions unmasked;
    unmasked.masked = false;
    // The pieces split a character of two bytes.
    co_await peer.Send(Frame(kText, "gr\xc3", more) + Frame(kPing, "one") +
                       Frame(kContinuation, "", more) + Frame(kPing, "two"));
    const std::string pongs = Frame(kPong, "one", unmasked) + Frame(kPong, "two", unmasked);
    EXPECT_EQ(co_await peer.Receive(pongs.size()), pongs);
    co_await peer.Send(Frame(kContinuation, "\xbc\xc3\x9f") + Frame(kBinary, "next"));
    const std::string echo =
        Frame(kText, "gr\u00fc\u00df", unmasked) + Frame(kBinary, "next", unmasked);
    EXPECT_EQ(co_await peer.Receive(echo.size()), echo);
  }

  Awaitable<void> SendWithUpgrade() {
    RawPeer peer = co_await ConnectRaw(address);
    const std::string long_message(3000, 'x');
    co_await peer.Send(UpgradeRequest("/echo") + Frame(kText, "early") +
                       Frame(kText, long_message));
    EXPECT_EQ((co_await peer.ReceiveHeader()).substr(0, 12), "HTTP/1.1 101");
    FrameOptions unmasked;
    unmasked.masked = false;
    const std::string echo = Frame(kText, "early", unmasked) + Frame(kText, long_message, unmasked);
    EXPECT_EQ(co_await peer.Receive(echo.size()), echo);
  }
};

std::string Unmasked(Opcode opcode, std::string_view payload) {
  FrameOptions options;
  options.masked = false;
  return Frame(opcode, payload, options);
}

std::string NotFinal(Opcode opcode, std::string_view payload) {
  FrameOptions options;
  options.final = false;
  return Frame(opcode, payload, options);
}

std::string Reserved(unsigned char bits) {
  FrameOptions options;
  options.reserved_bits = bits;
  return Frame(kText, "x", options);
}

TEST_F(Messages, KeepTheirKindAndBytes) { Run(EchoTextAndBinary()); }

TEST_F(Messages, OfSixteenMebibytesPass) { Run(EchoOfSize(limits::kClientMessageMax)); }

TEST_F(Messages, AroundTheSizesOfBuffersAndLengthFieldsPass) {
  for (const std::size_t size : {125U, 126U, 1535U, 1537U, 16384U, 16385U, 65535U, 65536U}) {
    Run(EchoOfSize(size));
  }
}

TEST_F(Messages, OverTheLimitCloseWith1009) { Run(SendTooLarge()); }

TEST_F(Messages, OverTheLimitInFragmentsCloseWith1009) {
  const std::string half(server_options.message_bytes_max / 2 + 1, 'a');
  const std::string tail = Frame(kContinuation, half).substr(0, 14);  // Its header is enough.
  Run(ExpectClose(NotFinal(kText, half) + tail, 1009));
}

TEST_F(Messages, ComeWholeOutOfFragmentsWithPingsBetween) { Run(SendFragments()); }

TEST_F(Messages, SentTogetherWithTheUpgradeRequestAreNotLost) { Run(SendWithUpgrade()); }

TEST_F(Messages, UnmaskedFromAClientCloseWith1002) { Run(ExpectClose(Unmasked(kText, "x"), 1002)); }

TEST_F(Messages, WithReservedBitsCloseWith1002) { Run(ExpectClose(Reserved(0x40), 1002)); }

TEST_F(Messages, OfAnUnknownOpcodeCloseWith1002) {
  Run(ExpectClose(Frame(static_cast<Opcode>(3), "x"), 1002));
}

TEST_F(Messages, ContinuedWithoutABeginningCloseWith1002) {
  Run(ExpectClose(Frame(kContinuation, "x"), 1002));
}

TEST_F(Messages, BegunInsideAnotherCloseWith1002) {
  Run(ExpectClose(NotFinal(kText, "a") + Frame(kText, "b"), 1002));
}

TEST_F(Messages, FragmentedControlFramesCloseWith1002) {
  Run(ExpectClose(NotFinal(kPing, "x"), 1002));
}

TEST_F(Messages, LongControlFramesCloseWith1002) {
  Run(ExpectClose(Frame(kPing, std::string(126, 'x')), 1002));
}

TEST_F(Messages, OfInvalidUtf8CloseWith1007) { Run(ExpectClose(Frame(kText, "caf\xe9"), 1007)); }

TEST_F(Messages, EndingInsideACharacterCloseWith1007) {
  Run(ExpectClose(NotFinal(kText, "gr\xc3") + Frame(kContinuation, ""), 1007));
}

TEST_F(Messages, CloseFramesOfOneByteCloseWith1002) { Run(ExpectClose(Frame(kClose, "x"), 1002)); }

TEST_F(Messages, CloseFramesWithAReservedCodeCloseWith1002) {
  Run(ExpectClose(CloseFrame(1005, ""), 1002));
}

}  // namespace
}  // namespace voicebridge::test
